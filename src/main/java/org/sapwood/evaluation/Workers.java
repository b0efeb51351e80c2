package org.sapwood.evaluation;

import java.util.function.IntConsumer;
import org.sapwood.parallel.WorkerPool;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.BackendChoice;
import org.sapwood.tensor.Backends;

/**
 * The threads and the backend that an evaluation computes with. Work is cut into numbered tasks whose results do not
 * depend on who runs them, so that every number measured here has the same bits for any number of threads.
 */
public final class Workers implements AutoCloseable {
    private final BackendChoice backend;
    private final WorkerPool pool;

    /**
     * Starts the threads.
     *
     * @param threads at least 1
     */
    public Workers(BackendChoice backend, int threads) {
        this.backend = backend;
        this.pool = new WorkerPool(threads);
    }

    int threads() {
        return pool.workers();
    }

    /** A new backend instance, to be used by one task at a time. */
    Backend openBackend() {
        return backend.open();
    }

    /** The same, of the fastest kind that computes on the heap, should the chosen one be a device. */
    Backend openHostBackend() {
        if (!backend.name().equals("cuda")) {
            return openBackend();
        }
        return Backends.choose(Backends.unavailable("simd") == null ? "simd" : "scalar")
                .open();
    }

    /** Runs tasks 0 to {@code count} − 1 and waits for all of them. */
    void forEach(int count, IntConsumer task) {
        pool.forEach(count, (worker, number) -> task.accept(number));
    }

    /** Runs {@code task} on all stretches of {@code size} of {@code length} and waits for all of them. */
    void forStretches(int length, int size, WorkerPool.Stretch task) {
        pool.forStretches(length, size, task);
    }

    @Override
    public void close() {
        pool.close();
    }
}
