package org.sapwood.synthesis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Proxy;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sapwood.autograd.ParameterVector;
import org.sapwood.io.UserException;
import org.sapwood.nn.UNet;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.BackendChoice;
import org.sapwood.tensor.Backends;

/** How a batch ends that is not computed whole. */
@Timeout(60)
class GradientEngineTest {
    private static final UNet MODEL = TinyModels.random(11, 4);

    private static GradientEngine engine(int threads) {
        return engine(Backends.choose("scalar"), threads);
    }

    private static GradientEngine engine(BackendChoice backend, int threads) {
        ParameterVector parameters = MODEL.parameters().trainable();
        return new GradientEngine(backend, threads, MODEL, parameters, GradientEngine.Rows.PER_EXAMPLE, 2, 1, true);
    }

    private static final GradientEngine.RowConsumer NOBODY = (worker, backend, unit, rows) -> {};

    /** The memory of a device would be lost to the process otherwise. */
    @Test
    void anEngineThatCannotBeMadeClosesWhatItOpened() {
        BackendChoice scalar = Backends.choose("scalar");
        AtomicInteger open = new AtomicInteger();
        BackendChoice choice = new BackendChoice(
                scalar.name(),
                scalar.description(),
                () -> {
                    if (open.get() == 2) {
                        throw new UserException("no third one");
                    }
                    open.incrementAndGet();
                    return counted(scalar.open(), open);
                },
                List.of());
        UserException failure = assertThrows(UserException.class, () -> engine(choice, 3));
        assertEquals("no third one", failure.getMessage());
        assertEquals(0, open.get(), "still open");
    }

    private static Backend counted(Backend backend, AtomicInteger open) {
        return (Backend) Proxy.newProxyInstance(
                Backend.class.getClassLoader(), new Class<?>[] {Backend.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("close")) {
                        open.decrementAndGet();
                    }
                    return method.invoke(backend, arguments);
                });
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void whatAWorkerFailsWithIsThrown(int threads) {
        ArithmeticException failure = new ArithmeticException("17");
        GradientEngine.DrawSource failing = (worker, example, draw, tape, slot) -> {
            if (example == 4) {
                throw failure;
            }
        };
        try (GradientEngine engine = engine(threads)) {
            assertSame(failure, assertThrows(ArithmeticException.class, () -> engine.run(8, failing, NOBODY)));
        }
    }

    /** No worker touches its memory once the interrupted call has thrown, so that closing frees it safely. */
    @Test
    void anInterruptedRunThrowsWhenItsWorkersHaveStopped() throws InterruptedException {
        try (GradientEngine engine = engine(2)) {
            CountDownLatch begun = new CountDownLatch(1);
            AtomicBoolean over = new AtomicBoolean();
            AtomicBoolean late = new AtomicBoolean();
            AtomicReference<String> message = new AtomicReference<>();
            Thread caller = Thread.ofPlatform().unstarted(() -> {
                try {
                    engine.run(
                            Integer.MAX_VALUE,
                            (worker, example, draw, tape, slot) -> {
                                begun.countDown();
                                if (over.get()) {
                                    late.set(true);
                                }
                            },
                            NOBODY);
                } catch (IllegalStateException e) {
                    over.set(true);
                    message.set(e.getMessage());
                }
            });
            caller.start();
            begun.await();
            caller.interrupt();
            caller.join();
            assertEquals("interrupted while computing", message.get());
            Thread.sleep(20);
            assertFalse(late.get(), "a worker went on");
            assertTrue(over.get());
        }
    }
}
