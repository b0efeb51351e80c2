package org.sapwood.autograd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Backends;
import org.sapwood.tensor.Indices;
import org.sapwood.tensor.Tensor;
import org.sapwood.tensor.scalar.ScalarBackend;

/**
 * The operations of a transformer block under the sinks: cross-attention on the tokens of a class, a normalisation of
 * tokens, a gated feed-forward layer. A row is the gradient of its own example, whatever stands beside it.
 */
@Tag("no-vector")
class TransformerBlockTest {
    private static final int TOKENS = 5;
    private static final int WIDTH = 6;
    private static final int CLASSES = 3;

    private final Parameter table = parameter("table", 1, CLASSES, 2 * WIDTH);
    private final Parameter toK = parameter("to_k", 2, WIDTH, WIDTH);
    private final Parameter toV = parameter("to_v", 3, WIDTH, WIDTH);
    private final Parameter gamma = parameter("gamma", 4, WIDTH);
    private final Parameter beta = parameter("beta", 5, WIDTH);
    private final Parameter up = parameter("up", 6, 2 * WIDTH, WIDTH);
    private final List<Parameter> parameters = List.of(table, toK, toV, gamma, beta, up);
    private final ParameterVector vector = ParameterVector.ofTrainable(parameters);

    private static Parameter parameter(String name, long seed, int... extents) {
        return SmallNet.parameter(name, DiskLayout.SAME, seed, extents);
    }

    private static Stream<Backend> backends() {
        return Backends.names().stream()
                .filter(name -> Backends.unavailable(name) == null)
                .map(name -> Backends.choose(name).open());
    }

    /** The gradients, [rows, P], of the examples {@code first}, {@code first} + 1, …, so many to a row. */
    private float[][] rows(Backend backend, int first, int batch, int samplesPerRow) {
        Arena arena = new Arena(backend);
        Tape tape = Tape.forTraining(backend, arena);
        Variable x = tape.input(batch, TOKENS, WIDTH);
        Indices classes = new Indices(batch);
        Variable y = block(tape, x, classes);
        tape.seal();
        PerSampleSink sink = new PerSampleSink(backend, arena, vector, batch / samplesPerRow, samplesPerRow);
        run(backend, tape, x, classes, y, first, sink);
        float[][] rows = new float[batch / samplesPerRow][vector.size()];
        for (int i = 0; i < rows.length; i++) {
            backend.download(sink.matrix().slice(i, i + 1), rows[i], 0);
        }
        return rows;
    }

    private Variable block(Tape tape, Variable x, Indices classes) {
        Variable context = ReshapeOp.tokens(tape, EmbeddingOp.embedding(tape, table, classes), 2);
        Variable k = LinearOp.linear(tape, context, toK, null, null);
        Variable v = LinearOp.linear(tape, context, toV, null, null);
        Variable h = AddOp.add(tape, x, AttentionOp.attention(tape, x, k, v, 2));
        h = LayerNormOp.layerNorm(tape, h, gamma, beta, 1e-5f);
        return AddOp.add(tape, h, GegluOp.geglu(tape, LinearOp.linear(tape, h, up, null, null)));
    }

    private static void run(
            Backend backend, Tape tape, Variable x, Indices classes, Variable y, int first, ExampleSink sink) {
        int size = TOKENS * WIDTH;
        for (int slot = 0; slot < x.dim(0); slot++) {
            float[] data = SmallNet.normals(2 * size, 100 + first + slot);
            backend.upload(data, 0, x.value().slice(slot, slot + 1));
            classes.values()[slot] = (first + slot) % CLASSES;
        }
        tape.forward();
        for (int slot = 0; slot < x.dim(0); slot++) {
            float[] data = SmallNet.normals(2 * size, 100 + first + slot);
            backend.upload(data, size, y.gradient().slice(slot, slot + 1));
        }
        sink.clear();
        tape.backward(sink);
        sink.finish();
    }

    @ParameterizedTest
    @MethodSource("backends")
    void aRowIsTheGradientOfItsExampleAlone(Backend backend) {
        float[][] rows = rows(backend, 0, 4, 1);
        for (int i = 0; i < rows.length; i++) {
            assertArrayEquals(rows(backend, i, 1, 1)[0], rows[i], "example " + i + " on " + backend.name());
        }
    }

    /** Tokens are summed within a draw first, draws after that: the bits do not depend on the micro-batch. */
    @ParameterizedTest
    @MethodSource("backends")
    void theDrawsOfAnExampleAreAddedOneAfterTheOther(Backend backend) {
        float[][] draws = rows(backend, 0, 6, 1);
        float[][] examples = rows(backend, 0, 6, 3);
        for (int i = 0; i < 2; i++) {
            float[] sum = draws[3 * i].clone();
            for (int j = 0; j < sum.length; j++) {
                sum[j] += draws[3 * i + 1][j];
                sum[j] += draws[3 * i + 2][j];
            }
            assertArrayEquals(sum, examples[i], "example " + i + " on " + backend.name());
        }
    }

    @ParameterizedTest
    @MethodSource("backends")
    void backendsAgree(Backend backend) {
        float[][] rows = rows(backend, 0, 2, 1);
        try (Backend scalar = new ScalarBackend()) {
            float[][] expected = rows(scalar, 0, 2, 1);
            for (int i = 0; i < rows.length; i++) {
                for (Parameter parameter : parameters) {
                    int from = vector.offset(vector.position(parameter));
                    float[] wanted = Arrays.copyOfRange(expected[i], from, from + parameter.size());
                    float[] actual = Arrays.copyOfRange(rows[i], from, from + parameter.size());
                    assertArrayEquals(wanted, actual, 1e-4f, parameter.name() + " on " + backend.name());
                }
            }
        }
    }

    /** Where nothing but the keys and values is trained, as in cross-attention on a frozen body. */
    @Test
    void onlyTheProjectionsOfTheContext() {
        try (Backend backend = new ScalarBackend()) {
            float[] all = rows(backend, 0, 1, 1)[0];
            parameters.forEach(p -> p.setTrainable(p == toK || p == toV));
            ParameterVector two = ParameterVector.ofTrainable(parameters);
            Arena arena = new Arena(backend);
            Tape tape = Tape.forTraining(backend, arena);
            Variable x = tape.input(1, TOKENS, WIDTH);
            Indices classes = new Indices(1);
            Variable y = block(tape, x, classes);
            tape.seal();
            PerSampleSink sink = new PerSampleSink(backend, arena, two, 1, 1);
            run(backend, tape, x, classes, y, 0, sink);
            int from = vector.offset(1);
            assertArrayEquals(
                    Arrays.copyOfRange(all, from, from + two.size()),
                    sink.matrix().toArray());
        }
    }

    @Test
    void aReshapedValueIsInTheMemoryOfItsSource() {
        try (Backend backend = new ScalarBackend()) {
            Tape tape = Tape.forInference(backend, new Arena(backend));
            Variable h = ActivationOp.silu(tape, tape.input(2, 3, 4));
            Variable view = ReshapeOp.tokens(tape, h, 6);
            Variable other = ActivationOp.silu(tape, ActivationOp.silu(tape, h));
            tape.keep(other);
            tape.keep(ActivationOp.tanh(tape, view));
            tape.seal();
            assertEquals(h.value().offset(), view.value().offset());
            assertArrayEquals(new int[] {2, 6, 2}, view.value().shape().toArray());
            assertTrue(other.value().offset() != h.value().offset(), "the view is still to be read");
            assertThrows(IllegalArgumentException.class, () -> {
                Tape open = Tape.forInference(backend, new Arena(backend));
                ReshapeOp.tokens(open, open.input(2, 3, 4), 5);
            });
        }
    }

    @Test
    void memoryThatTwoViewsShareIsGivenBackOnce() {
        try (Backend backend = new ScalarBackend()) {
            Tape tape = Tape.forInference(backend, new Arena(backend));
            Variable h = ActivationOp.silu(tape, tape.input(2, 3, 4));
            Variable both = AddOp.add(tape, h, ReshapeOp.tokens(tape, ReshapeOp.flatten(tape, h), 3));
            Variable left = ActivationOp.silu(tape, both);
            Variable right = ActivationOp.tanh(tape, both);
            tape.keep(AddOp.add(tape, left, right));
            tape.seal();
            assertTrue(left.value().offset() != right.value().offset(), "two values in one place");
        }
    }

    @Test
    void shapesThatDoNotFitAreRefused() {
        try (Backend backend = new ScalarBackend()) {
            Tape tape = Tape.forTraining(backend, new Arena(backend));
            Variable x = tape.input(2, 3, 5);
            assertThrows(IllegalArgumentException.class, () -> GegluOp.geglu(tape, x));
            assertThrows(IllegalArgumentException.class, () -> LayerNormOp.layerNorm(tape, x, gamma, beta, 1e-5f));
            assertThrows(IllegalArgumentException.class, () -> ActivationOp.leakyRelu(tape, x, 1f));
        }
    }

    @Test
    void normsOfAScaleAreRefused() {
        try (Backend backend = new ScalarBackend()) {
            NormSink sink = new NormSink(backend, new Arena(backend), vector, 1, 1);
            Tensor any = Tensor.zeros(1, 1, WIDTH);
            IllegalStateException refusal = assertThrows(
                    IllegalStateException.class, () -> sink.layerNormScale(gamma, any, Tensor.zeros(1, 1, 2), any));
            assertTrue(String.valueOf(refusal.getMessage()).contains("gamma"), refusal.getMessage());
        }
    }
}
