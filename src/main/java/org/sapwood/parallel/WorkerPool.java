package org.sapwood.parallel;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Threads that share numbered tasks. Which worker takes a task is left to chance, so what a task computes must not depend
 * on it; a worker's number is for that worker's memory.
 *
 * <p>One call at a time, and none from within a task: two of them would hand the same worker's memory to two threads. No
 * task runs any more when a call returns or throws, so the caller may free what the tasks used.
 */
public final class WorkerPool implements AutoCloseable {
    /** Coordinates that are one task of {@link #forStretches}: fewer would not be worth a thread's waking up. */
    public static final int STRETCH = 1 << 15;

    private final int workers;
    private final ExecutorService threads;
    private final AtomicBoolean busy = new AtomicBoolean();

    /** A task, and the worker that has it. */
    @FunctionalInterface
    public interface Task {
        void run(int worker, int task);
    }

    /** Work on coordinates {@code from} to {@code to} − 1 of a vector, and the worker that has it. */
    @FunctionalInterface
    public interface Stretch {
        void run(int worker, int from, int to);
    }

    /** @param workers at least 1; a single one is the caller's thread */
    public WorkerPool(int workers) {
        if (workers < 1) {
            throw new IllegalArgumentException("threads must be >= 1, got " + workers);
        }
        this.workers = workers;
        threads = Executors.newFixedThreadPool(
                workers, Thread.ofPlatform().daemon().name("sapwood-worker-", 0).factory());
    }

    /** How many tasks may run at a time; their workers are 0 to this number − 1. */
    public int workers() {
        return workers;
    }

    /**
     * Runs tasks 0 to {@code count} − 1 and waits for all. If one fails, no further one is begun, and what it failed with is
     * thrown. A lone task runs on the caller's thread, as worker 0.
     *
     * @throws IllegalStateException if the caller is interrupted before all tasks are done; no further task is begun then,
     *     either
     */
    public void forEach(int count, Task task) {
        if (!busy.compareAndSet(false, true)) {
            throw new IllegalStateException("this pool is at work: one call at a time, and none from within a task");
        }
        try {
            if (workers == 1 || count <= 1) {
                runAlone(count, task);
            } else {
                runTogether(count, task);
            }
        } finally {
            busy.set(false);
        }
    }

    private static void runAlone(int count, Task task) {
        for (int t = 0; t < count; t++) {
            if (Thread.currentThread().isInterrupted()) {
                throw interrupted();
            }
            task.run(0, t);
        }
    }

    private void runTogether(int count, Task task) {
        AtomicInteger next = new AtomicInteger();
        List<Future<?>> running = new ArrayList<>();
        Throwable failure = null;
        try {
            for (int w = 0; w < Math.min(workers, count); w++) {
                int worker = w;
                running.add(threads.submit(() -> drain(worker, next, count, task)));
            }
        } catch (RuntimeException | Error e) {
            // No more threads to be had: those that there are stop.
            next.set(count);
            failure = e;
        }
        boolean interrupted = false;
        for (Future<?> worker : running) {
            for (boolean waiting = true; waiting; ) {
                try {
                    worker.get();
                    waiting = false;
                } catch (ExecutionException e) {
                    failure = first(failure, e.getCause());
                    waiting = false;
                } catch (InterruptedException e) {
                    interrupted = true;
                    next.set(count);
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        rethrow(failure);
        if (interrupted) {
            throw interrupted();
        }
    }

    private static IllegalStateException interrupted() {
        return new IllegalStateException("interrupted while computing");
    }

    private static void drain(int worker, AtomicInteger next, int count, Task task) {
        try {
            for (int t = next.getAndIncrement(); t < count; t = next.getAndIncrement()) {
                task.run(worker, t);
            }
        } finally {
            next.set(count); // after a failure the others need not go on
        }
    }

    private static @Nullable Throwable first(@Nullable Throwable one, @Nullable Throwable other) {
        if (one == null || other == null || one.equals(other)) {
            return one == null ? other : one;
        }
        one.addSuppressed(other);
        return one;
    }

    private static void rethrow(@Nullable Throwable failure) {
        switch (failure) {
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            case Throwable e -> throw new IllegalStateException("a worker failed: " + e, e);
            case null -> {
                // none failed
            }
        }
    }

    /** Runs {@code task} on all stretches of a vector of {@code length} coordinates and waits for all, as {@link #forEach} does. */
    public void forStretches(int length, Stretch task) {
        forStretches(length, STRETCH, task);
    }

    /** The same with stretches of {@code size}, the last perhaps shorter. */
    public void forStretches(int length, int size, Stretch task) {
        forEach(
                Math.ceilDiv(length, size),
                (worker, stretch) -> task.run(worker, stretch * size, (int) Math.min(length, (stretch + 1L) * size)));
    }

    /** Ends the threads, and waits for that: one that has not ended holds on to the memory of its worker. */
    @Override
    public void close() {
        threads.close();
    }
}
