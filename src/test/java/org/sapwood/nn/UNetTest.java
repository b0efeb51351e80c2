package org.sapwood.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.commons.rng.simple.RandomSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.sapwood.autograd.MeanSquaredErrorOp;
import org.sapwood.autograd.PerSampleSink;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Variable;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Backends;
import org.sapwood.tensor.Indices;
import org.sapwood.tensor.Tensor;
import org.sapwood.tensor.scalar.ScalarBackend;

class UNetTest {
    private static final int TOKENS = 16;
    private static final int CHANNELS = 2;

    private static Stream<Backend> backends() {
        return Backends.names().stream()
                .filter(name -> Backends.unavailable(name) == null)
                .map(name -> Backends.choose(name).open());
    }

    /** Each pair with a backend of its own: JUnit closes the arguments after every call. */
    private static Stream<Arguments> backendsAndModels() {
        return Stream.of(TinyUNets.CONFIG, TinyUNets.CONDITIONAL)
                .flatMap(config -> backends().map(backend -> Arguments.of(backend, config)));
    }

    /** What one run says about each example: [batch][output, loss, gradient]. */
    private record Answers(float[][] outputs, float[][] losses, float[][] gradients) {}

    /** Runs examples, given by number: their images, times and classes follow from it. */
    private static Answers run(UNet model, Backend backend, int... examples) {
        int batch = examples.length;
        Arena arena = new Arena(backend);
        Tape tape = Tape.forTraining(backend, arena);
        Variable x = tape.input(batch, TOKENS, CHANNELS);
        Variable time = tape.input(batch, 1, 4);
        Indices labels = new Indices(batch);
        Variable output = model.forward(tape, x, time, labels);
        tape.keep(output);
        Variable target = tape.input(batch, TOKENS, CHANNELS);
        Variable loss = MeanSquaredErrorOp.meanSquaredError(tape, output, target, 1f);
        tape.seal();
        PerSampleSink sink =
                new PerSampleSink(backend, arena, model.parameters().trainable(), batch, 1);
        for (int slot = 0; slot < batch; slot++) {
            fill(backend, x.value().slice(slot, slot + 1), 3L * examples[slot]);
            fill(backend, time.value().slice(slot, slot + 1), 3L * examples[slot] + 1);
            fill(backend, target.value().slice(slot, slot + 1), 3L * examples[slot] + 2);
            labels.values()[slot] = examples[slot] % 3;
        }
        tape.forward();
        sink.clear();
        tape.backward(sink);
        sink.finish();
        return new Answers(rows(backend, output.value()), rows(backend, loss.value()), rows(backend, sink.matrix()));
    }

    private static void fill(Backend backend, Tensor slot, long seed) {
        float[] values = new float[slot.size()];
        var rng = RandomSource.XO_SHI_RO_256_PP.create(seed);
        for (int i = 0; i < values.length; i++) {
            values[i] = 4 * rng.nextFloat() - 2;
        }
        backend.upload(values, 0, slot);
    }

    private static float[][] rows(Backend backend, Tensor tensor) {
        float[][] rows = new float[tensor.dim(0)][tensor.shape().rowSize()];
        for (int b = 0; b < rows.length; b++) {
            backend.download(tensor.slice(b, b + 1), rows[b], 0);
        }
        return rows;
    }

    private static void assertSame(Answers expected, int from, Answers actual, int at) {
        assertArrayEquals(expected.outputs[from], actual.outputs[at], "output");
        assertArrayEquals(expected.losses[from], actual.losses[at], "loss");
        assertArrayEquals(expected.gradients[from], actual.gradients[at], "gradient");
    }

    /** Nothing in the model mixes examples: what a private step takes for the gradient of one is of that one alone. */
    @ParameterizedTest
    @MethodSource("backendsAndModels")
    void anExampleDoesNotFeelItsNeighbours(Backend backend, UNetConfig config) {
        UNet model = TinyUNets.random(config, 1);
        Answers before = run(model, backend, 0, 1, 2);
        Answers after = run(model, backend, 0, 7, 2);
        assertSame(before, 0, after, 0);
        assertSame(before, 2, after, 2);
        assertFalse(Arrays.equals(before.outputs[1], after.outputs[1]), "the changed example did change");
        assertSame(run(model, backend, 2), 0, before, 2);
        assertSame(run(model, backend, 2, 2, 1, 0, 5), 3, before, 0);
    }

    @ParameterizedTest
    @MethodSource("backendsAndModels")
    void aFreshAdapterDoesNotChangeTheModel(Backend backend, UNetConfig config) {
        UNet model = TinyUNets.random(config, 2);
        float[] before = run(model, backend, 0).outputs[0];
        for (Adaptable matrix : List.copyOf(model.matrices().values())) {
            matrix.adapt(model.parameters(), 3, 1f, RandomSource.XO_SHI_RO_256_PP.create(1L));
        }
        assertArrayEquals(before, run(model, backend, 0).outputs[0], 1e-6f);
        Adaptable first = model.matrices().values().iterator().next();
        assertThrows(IllegalStateException.class, () -> first.adapt(model.parameters(), 3, 1f));
    }

    /** What a model draws for a label, or for none. */
    private static float[] output(UNet model, OptionalInt label) {
        try (Backend backend = new ScalarBackend()) {
            Tape tape = Tape.forInference(backend, new Arena(backend));
            Variable x = tape.input(1, TOKENS, CHANNELS);
            Variable time = tape.input(1, 1, 4);
            Indices labels = new Indices(1);
            labels.values()[0] = label.orElse(0);
            Variable output = model.forward(tape, x, time, label.isEmpty() ? null : labels);
            tape.keep(output);
            tape.seal();
            tape.forward();
            return output.value().toArray();
        }
    }

    private static void assertAllDiffer(List<float[]> outputs) {
        for (int i = 0; i < outputs.size(); i++) {
            for (int j = 0; j < i; j++) {
                assertFalse(Arrays.equals(outputs.get(i), outputs.get(j)), i + " and " + j);
            }
        }
    }

    @Test
    void theClassCountsOnlyWhereLabelsAreGiven() {
        UNet model = TinyUNets.random(TinyUNets.CONFIG, 3);
        assertAllDiffer(Stream.of(OptionalInt.of(0), OptionalInt.of(1), OptionalInt.of(2), OptionalInt.empty())
                .map(label -> output(model, label))
                .toList());
    }

    @Test
    void theClassComesInByTokensAlone() {
        UNet model = TinyUNets.random(TinyUNets.TOKENS_ONLY, 3);
        assertEquals(List.of("class_tokens.weight"), model.conditionParameters());
        assertAllDiffer(IntStream.range(0, 3)
                .mapToObj(label -> output(model, OptionalInt.of(label)))
                .toList());
        assertThrows(IllegalArgumentException.class, () -> output(model, OptionalInt.empty()));
    }

    @Test
    void initialisationIsReproducible() {
        UNet first = new UNet(TinyUNets.CONFIG);
        UNet second = new UNet(TinyUNets.CONFIG);
        first.initialize(RandomSource.XO_SHI_RO_256_PP.create(5L));
        second.initialize(RandomSource.XO_SHI_RO_256_PP.create(5L));
        float[] values = new float[first.parameters().trainable().size()];
        float[] others = values.clone();
        first.parameters().trainable().read(values);
        second.parameters().trainable().read(others);
        assertArrayEquals(values, others);
        assertEquals(first.parameters().size(), values.length);
    }
}
