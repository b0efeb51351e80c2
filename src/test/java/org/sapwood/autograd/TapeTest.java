package org.sapwood.autograd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.scalar.ScalarBackend;

/** Memory that is reused by liveness must never show: neither in a value, nor in a gradient, nor in the next replay. */
@Tag("no-vector")
class TapeTest {
    private static final int GRAPHS = 60;
    private static final int LENGTH = 24;

    private final Backend backend = new ScalarBackend();

    /** A random graph on one tape, whose last variable is the output. */
    private final class Whole {
        private final Arena arena = new Arena(backend);
        private final Tape tape = Tape.forTraining(backend, arena);
        private final List<Variable> variables = new ArrayList<>();
        private final SumSink sink;

        Whole(RandomGraph graph, Consumer<Whole> beforeSealing) {
            variables.add(tape.differentiableInput(RandomGraph.SHAPE));
            for (RandomGraph.Step step : graph.steps) {
                variables.add(step.record(
                        tape, step.from().stream().map(variables::get).toList()));
            }
            beforeSealing.accept(this);
            tape.seal();
            sink = new SumSink(backend, arena, ParameterVector.ofTrainable(graph.parameters), 2);
        }

        void run(float[] input, float[] outputGradient) {
            backend.upload(input, 0, variables.getFirst().value());
            tape.forward();
            backend.upload(outputGradient, 0, variables.getLast().gradient());
            sink.clear();
            tape.backward(sink);
            sink.finish();
        }
    }

    private static float[] input(long seed) {
        return SmallNet.normals(RandomGraph.SIZE, 1000 + seed);
    }

    private static float[] outputGradient(long seed) {
        return SmallNet.normals(RandomGraph.SIZE, 2000 + seed);
    }

    @Test
    void reusedMemoryGivesTheValuesAndGradientsOfStepByStepComputation() {
        for (int seed = 0; seed < GRAPHS; seed++) {
            RandomGraph graph = new RandomGraph(seed, LENGTH);
            Whole whole = new Whole(graph, w -> {});
            whole.run(input(seed), outputGradient(seed));
            StepByStep reference = new StepByStep(graph, input(seed), outputGradient(seed));
            assertArrayEquals(
                    reference.values.getLast(),
                    whole.variables.getLast().value().toArray(),
                    "output, seed " + seed);
            assertClose(
                    reference.gradients.getFirst(),
                    whole.variables.getFirst().gradient().toArray(),
                    "input gradient, seed " + seed);
            assertClose(reference.parameterGradients, whole.sink.matrix().toArray(), "parameters, seed " + seed);
        }
    }

    @Test
    void keptValuesSurviveTheReplay() {
        for (int seed = 0; seed < GRAPHS; seed++) {
            RandomGraph graph = new RandomGraph(seed, LENGTH);
            int kept = 1 + seed % LENGTH;
            Whole all = new Whole(graph, w -> w.variables.forEach(w.tape::keep));
            Whole one = new Whole(graph, w -> w.tape.keep(w.variables.get(kept)));
            all.run(input(seed), outputGradient(seed));
            one.run(input(seed), outputGradient(seed));
            StepByStep reference = new StepByStep(graph, input(seed), outputGradient(seed));
            for (int i = 0; i <= LENGTH; i++) {
                assertArrayEquals(
                        reference.values.get(i),
                        all.variables.get(i).value().toArray(),
                        "value " + i + ", seed " + seed);
            }
            assertArrayEquals(
                    reference.values.get(kept), one.variables.get(kept).value().toArray(), "seed " + seed);
            assertArrayEquals(all.sink.matrix().toArray(), one.sink.matrix().toArray(), "seed " + seed);
        }
    }

    @Test
    void aReplayLeavesNoTraceInTheNext() {
        RandomGraph graph = new RandomGraph(7, LENGTH);
        Whole tape = new Whole(graph, w -> {});
        tape.run(input(1), outputGradient(1));
        float[] output = tape.variables.getLast().value().toArray();
        float[] gradients = tape.sink.matrix().toArray();
        tape.run(input(2), outputGradient(2));
        tape.run(input(1), outputGradient(1));
        assertArrayEquals(output, tape.variables.getLast().value().toArray());
        assertArrayEquals(gradients, tape.sink.matrix().toArray());
    }

    @Test
    void aLongChainNeedsThreeBuffers() {
        Tape tape = Tape.forInference(backend, new Arena(backend));
        List<Variable> variables = new ArrayList<>(List.of(tape.input(RandomGraph.SHAPE)));
        for (int i = 0; i < 1000; i++) {
            variables.add(ActivationOp.silu(tape, variables.getLast()));
        }
        tape.seal();
        assertEquals(
                3, variables.stream().map(v -> v.value().offset()).distinct().count(), "the input and two in turns");
    }

    @Test
    void misuseIsRefused() {
        Tape tape = Tape.forTraining(backend, new Arena(backend));
        Variable x = tape.input(1, 2, 3);
        Variable y = ActivationOp.silu(tape, x);
        assertThrows(IllegalStateException.class, tape::forward);
        assertThrows(IllegalStateException.class, y::value);
        tape.seal();
        tape.seal();
        tape.forward();
        assertThrows(IllegalStateException.class, () -> ActivationOp.silu(tape, y));
        assertThrows(IllegalStateException.class, x::gradient);
        assertThrows(IllegalArgumentException.class, () -> {
            Tape other = Tape.forTraining(backend, new Arena(backend));
            Variable a = other.input(1, 2, 3);
            AddOp.add(other, a, a);
        });
    }

    private static void assertClose(float[] expected, float[] actual, String what) {
        assertEquals(expected.length, actual.length);
        double distance = 0;
        double norm = 0;
        for (int i = 0; i < expected.length; i++) {
            distance += ((double) expected[i] - actual[i]) * ((double) expected[i] - actual[i]);
            norm += (double) expected[i] * expected[i];
        }
        assertTrue(
                Math.sqrt(distance) <= 1e-5 * Math.sqrt(norm),
                what + ": distance " + Math.sqrt(distance) + " of " + Math.sqrt(norm));
    }

    /** The same graph with a tape per step and the chain rule by hand: nothing is ever reused. */
    private final class StepByStep {
        private final List<float[]> values = new ArrayList<>();
        private final List<float[]> gradients = new ArrayList<>();
        private final float[] parameterGradients;
        private final Arena arena = new Arena(backend);

        StepByStep(RandomGraph graph, float[] input, float[] outputGradient) {
            ParameterVector vector = ParameterVector.ofTrainable(graph.parameters);
            parameterGradients = new float[vector.size()];
            values.add(input);
            for (RandomGraph.Step step : graph.steps) {
                values.add(replay(step, new float[RandomGraph.SIZE], vector)
                        .output()
                        .value()
                        .toArray());
            }
            values.forEach(v -> gradients.add(new float[RandomGraph.SIZE]));
            gradients.set(values.size() - 1, outputGradient);
            for (int i = graph.steps.size() - 1; i >= 0; i--) {
                RandomGraph.Step step = graph.steps.get(i);
                Single single = replay(step, gradients.get(i + 1), vector);
                for (int j = 0; j < step.from().size(); j++) {
                    addTo(
                            gradients.get(step.from().get(j)),
                            single.inputs().get(j).gradient().toArray());
                }
                addTo(parameterGradients, single.sink().matrix().toArray());
            }
        }

        /** One step on its own tape, run forward and backward. */
        private record Single(List<Variable> inputs, Variable output, SumSink sink) {}

        private Single replay(RandomGraph.Step step, float[] outputGradient, ParameterVector vector) {
            Tape tape = Tape.forTraining(backend, arena);
            List<Variable> inputs = step.from().stream()
                    .map(i -> tape.differentiableInput(RandomGraph.SHAPE))
                    .toList();
            Variable output = step.record(tape, inputs);
            tape.keep(output);
            tape.seal();
            for (int j = 0; j < inputs.size(); j++) {
                backend.upload(values.get(step.from().get(j)), 0, inputs.get(j).value());
            }
            tape.forward();
            backend.upload(outputGradient, 0, output.gradient());
            SumSink sink = new SumSink(backend, arena, vector, 2);
            sink.clear();
            tape.backward(sink);
            sink.finish();
            return new Single(inputs, output, sink);
        }

        private static void addTo(float[] sum, float[] more) {
            for (int i = 0; i < sum.length; i++) {
                sum[i] += more[i];
            }
        }
    }
}
