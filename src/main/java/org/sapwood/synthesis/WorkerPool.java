package org.sapwood.synthesis;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/** Threads that share numbered tasks. What a task computes does not depend on which worker takes it. */
public final class WorkerPool implements AutoCloseable {
    private final int workers;
    private final ExecutorService threads;

    /** A task, and the worker that has it, for that worker's memory. */
    @FunctionalInterface
    public interface Task {
        void run(int worker, int task);
    }

    /** @param workers at least 1 */
    public WorkerPool(int workers) {
        this.workers = workers;
        threads = Executors.newFixedThreadPool(
                workers, Thread.ofPlatform().daemon().name("images-", 0).factory());
    }

    public int workers() {
        return workers;
    }

    /** Runs tasks 0 to {@code count} − 1 and waits for all. */
    public void forEach(int count, Task task) {
        AtomicInteger next = new AtomicInteger();
        List<Callable<Void>> loops = new ArrayList<>();
        for (int i = 0; i < Math.min(workers, count); i++) {
            int worker = i;
            loops.add(() -> {
                for (int t = next.getAndIncrement(); t < count; t = next.getAndIncrement()) {
                    task.run(worker, t);
                }
                return null;
            });
        }
        try {
            for (Future<Void> loop : threads.invokeAll(loops)) {
                loop.get();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while computing", e);
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case RuntimeException cause -> throw cause;
                case Error cause -> throw cause;
                case null, default -> throw new IllegalStateException("a worker failed", e);
            }
        }
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
