package org.sapwood.autograd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Backends;
import org.sapwood.tensor.Tensor;
import org.sapwood.tensor.scalar.ScalarBackend;

/** What the clip of a private step rests on: each row is the whole gradient of its own example and of nothing else. */
@Tag("no-vector")
class SinkTest {
    private static Stream<Backend> backends() {
        return Backends.names().stream()
                .filter(name -> Backends.unavailable(name) == null)
                .map(name -> Backends.choose(name).open());
    }

    private static float[] values(Backend backend, Tensor tensor) {
        float[] values = new float[tensor.size()];
        backend.download(tensor, values, 0);
        return values;
    }

    private static float[] row(Backend backend, RowSink sink, int row) {
        return values(backend, sink.matrix().slice(row, row + 1));
    }

    /** The gradient of one example, alone on a tape of its own. */
    private static float[] alone(SmallNet net, Backend backend, int example) {
        Arena arena = new Arena(backend);
        SmallNet.Replay replay = net.new Replay(backend, arena, 1);
        SumSink sink = new SumSink(backend, arena, net.vector(), 1);
        replay.set(0, example);
        sink.clear();
        replay.run(sink);
        sink.finish();
        return values(backend, sink.matrix());
    }

    private static float[] sum(float[]... gradients) {
        float[] sum = gradients[0].clone();
        for (int i = 1; i < gradients.length; i++) {
            for (int j = 0; j < sum.length; j++) {
                sum[j] += gradients[i][j];
            }
        }
        return sum;
    }

    private static double squaredNorm(float[] values) {
        double sum = 0;
        for (float value : values) {
            sum += (double) value * value;
        }
        return sum;
    }

    @ParameterizedTest
    @MethodSource("backends")
    void aRowIsTheGradientOfItsExampleAlone(Backend backend) {
        SmallNet net = new SmallNet();
        Arena arena = new Arena(backend);
        SmallNet.Replay replay = net.new Replay(backend, arena, 3);
        PerSampleSink sink = new PerSampleSink(backend, arena, net.vector(), 3, 1);
        replay.setAll(0);
        sink.clear();
        replay.run(sink);
        sink.finish();
        for (int i = 0; i < 3; i++) {
            assertArrayEquals(alone(net, backend, i), row(backend, sink, i), "example " + i + " on " + backend.name());
        }
    }

    @ParameterizedTest
    @MethodSource("backends")
    void theDrawsOfAnExampleAreSummedInItsRow(Backend backend) {
        SmallNet net = new SmallNet();
        Arena arena = new Arena(backend);
        SmallNet.Replay replay = net.new Replay(backend, arena, 6);
        PerSampleSink sink = new PerSampleSink(backend, arena, net.vector(), 2, 3);
        replay.setAll(0);
        sink.clear();
        replay.run(sink);
        sink.finish();
        float[][] draws = new float[6][];
        Arrays.setAll(draws, i -> alone(net, backend, i));
        assertArrayEquals(sum(draws[0], draws[1], draws[2]), row(backend, sink, 0));
        assertArrayEquals(sum(draws[3], draws[4], draws[5]), row(backend, sink, 1));
    }

    @ParameterizedTest
    @MethodSource("backends")
    void microBatchesAddUpToTheWholeBatch(Backend backend) {
        SmallNet net = new SmallNet();
        Arena arena = new Arena(backend);
        SumSink whole = new SumSink(backend, arena, net.vector(), 4);
        SmallNet.Replay all = net.new Replay(backend, arena, 4);
        all.setAll(0);
        whole.clear();
        all.run(whole);
        whole.finish();

        SumSink parts = new SumSink(backend, arena, net.vector(), 2);
        SmallNet.Replay half = net.new Replay(backend, arena, 2);
        parts.clear();
        half.setAll(0);
        half.run(parts);
        half.setAll(2);
        half.run(parts);
        parts.finish();
        assertArrayEquals(values(backend, whole.matrix()), values(backend, parts.matrix()));
    }

    @ParameterizedTest
    @MethodSource("backends")
    void clearForgetsWhatWasThere(Backend backend) {
        SmallNet net = new SmallNet();
        Arena arena = new Arena(backend);
        SmallNet.Replay replay = net.new Replay(backend, arena, 2);
        PerSampleSink sink = new PerSampleSink(backend, arena, net.vector(), 2, 1);
        for (int first = 0; first < 4; first += 2) {
            replay.setAll(first);
            sink.clear();
            replay.run(sink);
            sink.finish();
        }
        assertArrayEquals(alone(net, backend, 2), row(backend, sink, 0));
        assertArrayEquals(alone(net, backend, 3), row(backend, sink, 1));
    }

    @ParameterizedTest
    @MethodSource("backends")
    void anExampleOfNaNsSpoilsItsOwnRowOnly(Backend backend) {
        SmallNet net = new SmallNet();
        Arena arena = new Arena(backend);
        SmallNet.Replay replay = net.new Replay(backend, arena, 3);
        PerSampleSink sink = new PerSampleSink(backend, arena, net.vector(), 3, 1);
        replay.setAll(0);
        backend.fill(replay.input().slice(1, 2), Float.NaN);
        sink.clear();
        replay.run(sink);
        sink.finish();
        assertArrayEquals(alone(net, backend, 0), row(backend, sink, 0));
        assertArrayEquals(alone(net, backend, 2), row(backend, sink, 2));
        assertTrue(Double.isNaN(squaredNorm(row(backend, sink, 1))));
    }

    /** y = (x·Wᵀ)·Wᵀ: the gradient of W has two parts whose cross term belongs to its norm. */
    @ParameterizedTest
    @MethodSource("backends")
    void aTiedParameterHasItsCrossTerms(Backend backend) {
        float[] tied = twoLayers(backend, true);
        float[] untied = twoLayers(backend, false);
        int size = tied.length;
        assertEquals(2 * size, untied.length);
        float[] first = Arrays.copyOf(untied, size);
        float[] second = Arrays.copyOfRange(untied, size, 2 * size);
        for (int j = 0; j < size; j++) {
            assertEquals(first[j] + second[j], tied[j], 1e-5f * (1 + Math.abs(tied[j])));
        }
        double withoutCrossTerm = squaredNorm(first) + squaredNorm(second);
        assertTrue(
                Math.abs(squaredNorm(tied) - withoutCrossTerm) > 0.01 * withoutCrossTerm,
                "the cross term of this example is not negligible");
    }

    private static float[] twoLayers(Backend backend, boolean tied) {
        Parameter first = SmallNet.parameter("first", DiskLayout.SAME, 1, 3, 3);
        Parameter second = tied ? first : SmallNet.parameter("second", DiskLayout.SAME, 1, 3, 3);
        Arena arena = new Arena(backend);
        Tape tape = Tape.forTraining(backend, arena);
        Variable x = tape.input(1, 4, 3);
        Variable y = LinearOp.linear(tape, LinearOp.linear(tape, x, first, null, null), second, null, null);
        tape.seal();
        ParameterVector vector = ParameterVector.ofTrainable(tied ? List.of(first) : List.of(first, second));
        PerSampleSink sink = new PerSampleSink(backend, arena, vector, 1, 1);
        backend.upload(SmallNet.normals(12, 50), 0, x.value());
        backend.upload(SmallNet.normals(12, 51), 0, y.gradient());
        tape.forward();
        backend.upload(SmallNet.normals(12, 51), 0, y.gradient());
        sink.clear();
        tape.backward(sink);
        sink.finish();
        return values(backend, sink.matrix());
    }

    /** ‖Σ_t g_t‖, not Σ_t ‖g_t‖: tokens may cancel. */
    @ParameterizedTest
    @MethodSource("backends")
    void aBiasIsSummedOverTokensBeforeItsNorm(Backend backend) {
        Parameter weight = SmallNet.parameter("weight", DiskLayout.SAME, 1, 2, 2);
        Parameter bias = SmallNet.parameter("bias", DiskLayout.SAME, 2, 2);
        Arena arena = new Arena(backend);
        Tape tape = Tape.forTraining(backend, arena);
        Variable x = tape.input(2, 2, 2);
        Variable y = LinearOp.linear(tape, x, weight, bias, null);
        tape.seal();
        PerSampleSink sink =
                new PerSampleSink(backend, arena, ParameterVector.ofTrainable(List.of(weight, bias)), 2, 1);
        tape.forward();
        backend.upload(new float[] {3, -5, -3, 5, 1, 2, 10, 20}, 0, y.gradient());
        sink.clear();
        tape.backward(sink);
        sink.finish();
        assertArrayEquals(new float[] {0, 0}, Arrays.copyOfRange(row(backend, sink, 0), 4, 6));
        assertArrayEquals(new float[] {11, 22}, Arrays.copyOfRange(row(backend, sink, 1), 4, 6));
    }

    /** A gradient without a coordinate would escape the norm that clipping bounds. */
    @Test
    void aTrainedParameterOutsideTheVectorIsRefused() {
        SmallNet net = new SmallNet();
        try (Backend backend = new ScalarBackend()) {
            Arena arena = new Arena(backend);
            SmallNet.Replay replay = net.new Replay(backend, arena, 1);
            net.gamma.setTrainable(false);
            SumSink sink = new SumSink(backend, arena, net.vector(), 1);
            replay.setAll(0);
            IllegalArgumentException refusal = assertThrows(IllegalArgumentException.class, () -> replay.run(sink));
            String message = String.valueOf(refusal.getMessage());
            assertTrue(message.contains("gamma is trained on the tape"), message);
        }
    }

    @ParameterizedTest
    @MethodSource("backends")
    void aParameterThatNothingUsedHasZeroGradient(Backend backend) {
        Parameter used = SmallNet.parameter("used", DiskLayout.SAME, 1, 2, 3);
        Parameter sometimes = SmallNet.parameter("sometimes", DiskLayout.SAME, 2, 2, 3);
        Arena arena = new Arena(backend);
        Tape with = Tape.forTraining(backend, arena);
        Variable xWith = with.input(2, 4, 3);
        Variable yWith = AddOp.add(
                with,
                LinearOp.linear(with, xWith, used, null, null),
                LinearOp.linear(with, xWith, sometimes, null, null));
        with.seal();
        Tape without = Tape.forTraining(backend, arena);
        Variable xWithout = without.input(2, 4, 3);
        Variable yWithout = LinearOp.linear(without, xWithout, used, null, null);
        without.seal();
        PerSampleSink sink =
                new PerSampleSink(backend, arena, ParameterVector.ofTrainable(List.of(used, sometimes)), 2, 1);
        for (Variable x : List.of(xWith, xWithout)) {
            backend.upload(SmallNet.normals(24, 60), 0, x.value());
        }
        for (Variable y : List.of(yWith, yWithout)) {
            backend.upload(SmallNet.normals(16, 61), 0, y.gradient());
        }
        sink.clear();
        with.forward();
        with.backward(sink);
        sink.finish();
        float[] before = row(backend, sink, 1);
        assertTrue(squaredNorm(Arrays.copyOfRange(before, 6, 12)) > 0);
        sink.clear();
        without.forward();
        without.backward(sink);
        sink.finish();
        for (int i = 0; i < 2; i++) {
            assertArrayEquals(new float[6], Arrays.copyOfRange(row(backend, sink, i), 6, 12), "row " + i);
        }
        assertArrayEquals(Arrays.copyOf(before, 6), Arrays.copyOf(row(backend, sink, 1), 6));
    }

    @Test
    void frozenParametersReachNoSink() {
        SmallNet net = new SmallNet();
        net.parameters.forEach(p -> p.setTrainable(p == net.a || p == net.table || p == net.beta));
        Set<String> called = new TreeSet<>();
        GradientSink recorder = (GradientSink) Proxy.newProxyInstance(
                SinkTest.class.getClassLoader(), new Class<?>[] {GradientSink.class}, (proxy, method, arguments) -> {
                    for (Object argument : arguments) {
                        if (argument instanceof Parameter parameter) {
                            called.add(parameter.name());
                        }
                    }
                    return null;
                });
        try (Backend backend = new ScalarBackend()) {
            SmallNet.Replay replay = net.new Replay(backend, new Arena(backend), 2);
            replay.setAll(0);
            replay.run(recorder);
        }
        assertEquals(Set.of("a", "table", "beta"), called);
    }

    @Test
    void anInferenceTapeTrainsNothing() {
        try (Backend backend = new ScalarBackend()) {
            Tape tape = Tape.forInference(backend, new Arena(backend));
            Variable y = LinearOp.linear(
                    tape,
                    tape.differentiableInput(1, 2, 3),
                    SmallNet.parameter("w", DiskLayout.SAME, 1, 2, 3),
                    null,
                    null);
            assertFalse(y.requiresGradient());
        }
    }
}
