package org.sapwood.parallel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every task once, on a worker of its own, and none any more when the call is over. */
@Timeout(60)
class WorkerPoolTest {
    /** Tasks that would take many seconds, did nobody stop them. */
    private static final int MANY = 1 << 28;

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 1000})
    void everyTaskRunsOnce(int count) {
        for (int workers : new int[] {1, 2, 5}) {
            try (WorkerPool pool = new WorkerPool(workers)) {
                AtomicIntegerArray runs = new AtomicIntegerArray(count);
                AtomicIntegerArray busy = new AtomicIntegerArray(workers);
                pool.forEach(count, (worker, task) -> {
                    assertEquals(1, busy.incrementAndGet(worker), "two tasks at a time have one worker's memory");
                    runs.incrementAndGet(task);
                    busy.decrementAndGet(worker);
                });
                for (int i = 0; i < count; i++) {
                    assertEquals(1, runs.get(i), "task " + i);
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, WorkerPool.STRETCH - 1, WorkerPool.STRETCH, 3 * WorkerPool.STRETCH + 5})
    void stretchesCoverAVector(int length) {
        try (WorkerPool pool = new WorkerPool(3)) {
            int[] touched = new int[length];
            pool.forStretches(length, (worker, from, to) -> {
                for (int i = from; i < to; i++) {
                    touched[i]++;
                }
            });
            int[] once = new int[length];
            Arrays.fill(once, 1);
            assertArrayEquals(once, touched);
        }
    }

    @Test
    void whatATaskFailsWithIsThrownAndTheRestIsLeft() {
        try (WorkerPool pool = new WorkerPool(2)) {
            for (Throwable failure : new Throwable[] {new ArithmeticException("17"), new StackOverflowError("18")}) {
                AtomicInteger begun = new AtomicInteger();
                Throwable thrown = assertThrows(
                        failure.getClass(),
                        () -> pool.forEach(MANY, (worker, task) -> {
                            begun.incrementAndGet();
                            if (task == 10) {
                                fail(failure);
                            }
                        }));
                assertSame(failure, thrown);
                assertTrue(begun.get() < MANY, "all other tasks were begun nevertheless");
            }
            AtomicInteger after = new AtomicInteger();
            pool.forEach(2, (worker, task) -> after.incrementAndGet());
            assertEquals(2, after.get(), "a pool serves on after a failure");
        }
    }

    private static void fail(Throwable failure) {
        if (failure instanceof RuntimeException e) {
            throw e;
        }
        throw (Error) failure;
    }

    /** The caller frees the tasks' memory when the call throws: none may be at work by then. */
    @Test
    void anInterruptWaitsForTasksThatHaveBegun() throws InterruptedException {
        try (WorkerPool pool = new WorkerPool(2)) {
            CountDownLatch begun = new CountDownLatch(2);
            CountDownLatch mayEnd = new CountDownLatch(1);
            AtomicInteger ended = new AtomicInteger();
            AtomicInteger endedWhenThrown = new AtomicInteger(-1);
            AtomicReference<String> message = new AtomicReference<>();
            AtomicBoolean stillInterrupted = new AtomicBoolean();
            Thread caller = Thread.ofPlatform().start(() -> {
                try {
                    pool.forEach(MANY, (worker, task) -> {
                        begun.countDown();
                        awaitFully(mayEnd);
                        ended.incrementAndGet();
                    });
                } catch (IllegalStateException e) {
                    endedWhenThrown.set(ended.get());
                    message.set(e.getMessage());
                    stillInterrupted.set(Thread.currentThread().isInterrupted());
                }
            });
            begun.await();
            caller.interrupt();
            caller.join(50);
            assertTrue(caller.isAlive(), "the call was over while tasks were at work");
            mayEnd.countDown();
            caller.join();
            assertEquals("interrupted while computing", message.get());
            assertTrue(stillInterrupted.get());
            assertEquals(ended.get(), endedWhenThrown.get(), "tasks were at work when the call was over");
            assertTrue(ended.get() < MANY, "all other tasks were begun nevertheless");
        }
    }

    private static void awaitFully(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException("only the caller is interrupted", e);
        }
    }

    @Test
    void anInterruptedCallerBeginsNoTaskOfItsOwn() {
        try (WorkerPool pool = new WorkerPool(1)) {
            AtomicInteger begun = new AtomicInteger();
            assertThrows(
                    IllegalStateException.class,
                    () -> pool.forEach(5, (worker, task) -> {
                        begun.incrementAndGet();
                        Thread.currentThread().interrupt();
                    }));
            assertTrue(Thread.interrupted());
            assertEquals(1, begun.get());
        }
    }

    /** Two calls at once would give one worker's memory to two threads. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void aCallFromWithinATaskIsRefused(int workers) {
        try (WorkerPool pool = new WorkerPool(workers)) {
            String message = assertThrows(
                            IllegalStateException.class,
                            () -> pool.forEach(3, (worker, task) -> pool.forEach(1, (w, t) -> {})))
                    .getMessage();
            assertEquals("this pool is at work: one call at a time, and none from within a task", message);
            pool.forEach(1, (worker, task) -> {});
        }
    }

    @Test
    void oneWorkerIsTheCaller() {
        try (WorkerPool pool = new WorkerPool(1)) {
            Thread caller = Thread.currentThread();
            pool.forEach(3, (worker, task) -> assertSame(caller, Thread.currentThread()));
        }
    }

    @Test
    void noThreadsAreRefused() {
        assertEquals(
                "threads must be >= 1, got 0",
                assertThrows(IllegalArgumentException.class, () -> new WorkerPool(0))
                        .getMessage());
    }
}
