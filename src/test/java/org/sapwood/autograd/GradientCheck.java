package org.sapwood.autograd;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.sampling.PermutationSampler;
import org.apache.commons.rng.sampling.distribution.ContinuousSampler;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;
import org.apache.commons.rng.simple.RandomSource;
import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Tensor;
import org.sapwood.tensor.scalar.ScalarBackend;

/**
 * Holds the gradients of a recorded computation against central differences on the scalar backend.
 *
 * <p>The function is a random linear functional of the output, summed in fp64. Its value carries float32 rounding, so
 * the steps are large, and Richardson's extrapolation over h, h/2 and h/4 takes away the errors of second and fourth
 * order. Every parameter and input is checked by itself, coordinate by coordinate (a sample of them where there are many)
 * and along one random direction: relative error ‖analytic − numeric‖/‖numeric‖ ≤ 1e-3, or, where a gradient is so small
 * that it drowns, the rounding of the function's value divided by the step.
 *
 * <p>Every check runs twice: as recorded, and with the inputs also read by other operations before and after, so that
 * the gradient has to be added to one that is there already.
 */
public final class GradientCheck {
    private static final double TOLERANCE = 1e-3;

    /** Error of a float32 output in units of its last place: several operations deep, each adds some. */
    private static final double ROUNDINGS = 4;

    private final long seed;
    private final ContinuousSampler normal;
    private final UniformRandomProvider rng;
    private final List<Parameter> parameters = new ArrayList<>();
    private final List<float[]> inputs = new ArrayList<>();
    private final List<int[]> shapes = new ArrayList<>();
    private final List<Boolean> differentiable = new ArrayList<>();
    private int coordinates = 200;
    private float step = 1f / 16;

    /** Records the computation under test. */
    @FunctionalInterface
    public interface Computation {
        /** The output as a function of the inputs, in the order in which they were declared. */
        Variable record(Tape tape, List<Variable> inputs);
    }

    /** A stretch of the vector of all coordinates: one parameter or one input. */
    private record Block(String name, int from, int to) {}

    public GradientCheck(long seed) {
        this.seed = seed;
        rng = RandomSource.XO_SHI_RO_256_PP.create(seed);
        normal = ZigguratSampler.NormalizedGaussian.of(rng);
    }

    /** At most this many coordinates of each parameter and input are checked one by one. */
    public GradientCheck coordinates(int count) {
        coordinates = count;
        return this;
    }

    /** The largest of the three steps of the differences. */
    public GradientCheck step(float h) {
        step = h;
        return this;
    }

    /** A new parameter, filled with normal values. */
    public Parameter parameter(String name, DiskLayout layout, int... extents) {
        Parameter parameter = new Parameter(name, Tensor.zeros(extents), layout);
        float[] values = parameter.value().array();
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) normal.sample();
        }
        parameters.add(parameter);
        return parameter;
    }

    /** Parameters that have their values already. */
    public GradientCheck parameters(Collection<Parameter> existing) {
        parameters.addAll(existing);
        return this;
    }

    /** An input of normal values whose gradient is checked. */
    public GradientCheck input(int... extents) {
        return input(true, extents);
    }

    /** An input of normal values that needs no gradient. */
    public GradientCheck constant(int... extents) {
        return input(false, extents);
    }

    private GradientCheck input(boolean wanted, int... extents) {
        float[] values = new float[Arrays.stream(extents).reduce(1, Math::multiplyExact)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) normal.sample();
        }
        inputs.add(values);
        shapes.add(extents);
        differentiable.add(wanted);
        return this;
    }

    /** Moves the values of the last input away from 0, for functions with a kink there. */
    public GradientCheck awayFromZero() {
        float[] values = inputs.getLast();
        for (int i = 0; i < values.length; i++) {
            values[i] += Math.copySign(0.25f, values[i]);
        }
        return this;
    }

    /** Checks a computation whose output may be anything. */
    public void check(Computation computation) {
        run(computation, null);
    }

    /** Checks a loss, whose backward pass starts by itself with {@code gradientScale}·Σ_b loss[b]. */
    public void checkLoss(float gradientScale, Computation computation) {
        run(computation, gradientScale);
    }

    private void run(Computation computation, @Nullable Float gradientScale) {
        for (boolean shared : new boolean[] {false, true}) {
            try (Backend backend = new ScalarBackend()) {
                compare(new Recorded(backend, computation, gradientScale, shared), shared ? "shared inputs, " : "");
            }
        }
    }

    private void compare(Recorded recorded, String label) {
        double[] analytic = recorded.gradient();
        assertTrue(Arrays.stream(analytic).anyMatch(g -> Math.abs(g) > 1e-2), "the gradient is not zero");
        double noise = ROUNDINGS * Math.ulp(1f) * recorded.magnitude() / (step / 4);
        for (Block block : recorded.blocks) {
            int[] sample = sample(block);
            double[] numeric = new double[analytic.length];
            for (int i : sample) {
                double[] direction = new double[analytic.length];
                direction[i] = 1;
                numeric[i] = recorded.derivative(direction);
            }
            double[] difference = new double[analytic.length];
            Arrays.setAll(difference, i -> analytic[i] - numeric[i]);
            requireSmall(
                    label + block, norm(difference, sample), norm(numeric, sample), noise * Math.sqrt(sample.length));

            double[] direction = new double[analytic.length];
            double expected = 0;
            for (int i = block.from; i < block.to; i++) {
                direction[i] = normal.sample() / Math.sqrt(block.to - block.from);
                expected += direction[i] * analytic[i];
            }
            double size = norm(analytic, IntStream.range(block.from, block.to).toArray());
            requireSmall(label + "direction in " + block, recorded.derivative(direction) - expected, size, noise);
        }
    }

    private int[] sample(Block block) {
        int size = block.to - block.from;
        int[] chosen = size <= coordinates
                ? PermutationSampler.natural(size)
                : Arrays.copyOf(new PermutationSampler(rng, size, coordinates).sample(), coordinates);
        return Arrays.stream(chosen).map(i -> block.from + i).toArray();
    }

    private void requireSmall(String what, double error, double size, double noise) {
        double allowed = Math.max(TOLERANCE * size, noise);
        assertTrue(
                Math.abs(error) <= allowed,
                what + ": error " + error + " of a gradient of norm " + size + ", seed " + seed);
    }

    private static double norm(double[] values, int[] indices) {
        double sum = 0;
        for (int i : indices) {
            sum += values[i] * values[i];
        }
        return Math.sqrt(sum);
    }

    /** The computation on a tape, as a function of one flat vector: trainable parameters, then inputs. */
    private final class Recorded {
        private final Backend backend;
        private final Tape tape;
        private final SumSink sink;
        private final ParameterVector vector;
        private final List<Variable> variables = new ArrayList<>();
        private final List<Variable> outputs = new ArrayList<>();
        private final List<float[]> functionals = new ArrayList<>();
        private final List<Block> blocks = new ArrayList<>();
        private final float[] start;

        Recorded(Backend backend, Computation computation, @Nullable Float gradientScale, boolean shared) {
            this.backend = backend;
            Arena arena = new Arena(backend);
            tape = Tape.forTraining(backend, arena);
            for (int i = 0; i < inputs.size(); i++) {
                variables.add(
                        differentiable.get(i) ? tape.differentiableInput(shapes.get(i)) : tape.input(shapes.get(i)));
            }
            if (shared) {
                variables.forEach(v -> terminal(ActivationOp.silu(tape, v), null));
            }
            Variable output = computation.record(tape, variables);
            terminal(output, gradientScale);
            if (shared) {
                variables.forEach(v -> terminal(ActivationOp.silu(tape, v), null));
            }
            tape.seal();
            vector = ParameterVector.ofTrainable(parameters);
            sink = new SumSink(backend, arena, vector, output.dim(0));
            start = layOut();
        }

        private void terminal(Variable output, @Nullable Float weight) {
            tape.keep(output);
            outputs.add(output);
            float[] functional = new float[output.shape().size()];
            for (int i = 0; i < functional.length; i++) {
                functional[i] = weight == null ? (float) normal.sample() : weight;
            }
            functionals.add(functional);
        }

        private float[] layOut() {
            int size = vector.size();
            for (int i = 0; i < vector.parameters().size(); i++) {
                Parameter p = vector.parameters().get(i);
                blocks.add(new Block(p.name(), vector.offset(i), vector.offset(i) + p.size()));
            }
            for (int i = 0; i < inputs.size(); i++) {
                if (differentiable.get(i)) {
                    blocks.add(new Block("input " + i, size, size + inputs.get(i).length));
                    size += inputs.get(i).length;
                }
            }
            float[] values = new float[size];
            vector.read(values);
            int at = vector.size();
            for (int i = 0; i < inputs.size(); i++) {
                if (differentiable.get(i)) {
                    System.arraycopy(inputs.get(i), 0, values, at, inputs.get(i).length);
                    at += inputs.get(i).length;
                }
            }
            return values;
        }

        private void set(float[] point) {
            vector.write(point);
            int at = vector.size();
            for (int i = 0; i < inputs.size(); i++) {
                if (differentiable.get(i)) {
                    backend.upload(point, at, variables.get(i).value());
                    at += inputs.get(i).length;
                } else {
                    backend.upload(inputs.get(i), 0, variables.get(i).value());
                }
            }
        }

        double value(float[] point) {
            set(point);
            tape.forward();
            double sum = 0;
            for (int i = 0; i < outputs.size(); i++) {
                float[] y = outputs.get(i).value().toArray();
                for (int j = 0; j < y.length; j++) {
                    sum += (double) functionals.get(i)[j] * y[j];
                }
            }
            return sum;
        }

        /** Root of the sum of squares of the terms that make up the function's value. */
        double magnitude() {
            double sum = 0;
            for (int i = 0; i < outputs.size(); i++) {
                float[] y = outputs.get(i).value().toArray();
                for (int j = 0; j < y.length; j++) {
                    double term = (double) functionals.get(i)[j] * y[j];
                    sum += term * term;
                }
            }
            return Math.sqrt(sum);
        }

        /** Derivative along {@code direction} by extrapolated central differences. */
        double derivative(double[] direction) {
            double coarse = central(direction, step);
            double middle = central(direction, step / 2);
            double fine = central(direction, step / 4);
            return (16 * (4 * fine - middle) / 3 - (4 * middle - coarse) / 3) / 15;
        }

        private double central(double[] direction, float h) {
            float[] above = start.clone();
            float[] below = start.clone();
            for (int i = 0; i < start.length; i++) {
                above[i] += (float) (h * direction[i]);
                below[i] -= (float) (h * direction[i]);
            }
            double derivative = (value(above) - value(below)) / (2 * h);
            vector.write(start);
            return derivative;
        }

        double[] gradient() {
            set(start);
            tape.forward();
            for (int i = 0; i < outputs.size(); i++) {
                if (outputs.get(i).requiresGradient()) {
                    backend.upload(functionals.get(i), 0, outputs.get(i).gradient());
                }
            }
            sink.clear();
            tape.backward(sink);
            sink.finish();
            double[] gradient = new double[start.length];
            float[] ofParameters = sink.matrix().toArray();
            for (int i = 0; i < ofParameters.length; i++) {
                gradient[i] = ofParameters[i];
            }
            int at = ofParameters.length;
            for (int i = 0; i < inputs.size(); i++) {
                if (differentiable.get(i)) {
                    for (float g : variables.get(i).gradient().toArray()) {
                        gradient[at++] = g;
                    }
                }
            }
            return gradient;
        }
    }
}
