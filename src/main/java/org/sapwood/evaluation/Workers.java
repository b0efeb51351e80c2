package org.sapwood.evaluation;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.BackendChoice;
import org.sapwood.tensor.Backends;

/**
 * The threads and the backend that an evaluation computes with. Work is cut into numbered tasks whose results do not
 * depend on who runs them, so that every number measured here has the same bits for any number of threads.
 */
public final class Workers implements AutoCloseable {
    private final BackendChoice backend;
    private final int threads;
    private final ExecutorService executor;

    /**
     * Starts the threads.
     *
     * @param threads at least 1
     */
    public Workers(BackendChoice backend, int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("--threads must be >= 1, got " + threads);
        }
        this.backend = backend;
        this.threads = threads;
        this.executor = Executors.newFixedThreadPool(
                threads, Thread.ofPlatform().daemon().name("evaluation-", 0).factory());
    }

    int threads() {
        return threads;
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
        if (threads == 1 || count == 1) {
            for (int i = 0; i < count; i++) {
                task.accept(i);
            }
            return;
        }
        AtomicInteger next = new AtomicInteger();
        Callable<Void> loop = () -> {
            for (int i = next.getAndIncrement(); i < count; i = next.getAndIncrement()) {
                task.accept(i);
            }
            return null;
        };
        List<Callable<Void>> loops = new ArrayList<>();
        for (int i = 0; i < Math.min(threads, count); i++) {
            loops.add(loop);
        }
        try {
            for (Future<Void> done : executor.invokeAll(loops)) {
                done.get();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("the evaluation was interrupted", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            throw new IllegalStateException(e.getCause());
        }
    }

    @Override
    public void close() {
        executor.shutdownNow();
    }
}
