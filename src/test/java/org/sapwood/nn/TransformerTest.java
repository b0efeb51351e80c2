package org.sapwood.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.util.List;
import java.util.Objects;
import java.util.function.DoubleUnaryOperator;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.simple.RandomSource;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sapwood.autograd.GradientCheck;
import org.sapwood.autograd.Parameter;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Variable;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.scalar.ScalarBackend;

/** A transformer held against its definition, written out in double precision from diffusers' description of it. */
class TransformerTest {
    private static final int PIXELS = 6;
    private static final int CHANNELS = 8;
    private static final int GROUPS = 2;
    private static final int TOKENS = 3;
    private static final int TOKEN_CHANNELS = 5;
    private static final int HEADS = 2;
    private static final int BLOCKS = 2;

    private final ParameterSet set = new ParameterSet();

    private double[] values(String name) {
        Parameter parameter = Objects.requireNonNull(set.find("t." + name), name);
        float[] values = parameter.value().toArray();
        double[] result = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            result[i] = values[i];
        }
        return result;
    }

    /** A 1×1 convolution stands in memory as [1, 1, in, out], a linear layer as [out, in]. */
    private double[][] projection(String name, double[][] x, boolean linear) {
        if (linear) {
            return linear(name, x, true);
        }
        double[] weight = values(name + ".weight");
        double[] bias = values(name + ".bias");
        double[][] y = new double[x.length][CHANNELS];
        for (int t = 0; t < x.length; t++) {
            for (int out = 0; out < CHANNELS; out++) {
                y[t][out] = bias[out];
                for (int in = 0; in < CHANNELS; in++) {
                    y[t][out] += x[t][in] * weight[in * CHANNELS + out];
                }
            }
        }
        return y;
    }

    private double[][] linear(String name, double[][] x, boolean biased) {
        double[] weight = values(name + ".weight");
        int in = x[0].length;
        int out = weight.length / in;
        double[][] y = new double[x.length][out];
        for (int t = 0; t < x.length; t++) {
            for (int o = 0; o < out; o++) {
                y[t][o] = biased ? values(name + ".bias")[o] : 0;
                for (int i = 0; i < in; i++) {
                    y[t][o] += x[t][i] * weight[o * in + i];
                }
            }
        }
        return y;
    }

    /** Normalises {@code x[rows][columns]} in place to mean 0 and variance 1. */
    private static void standardize(double[][] x, int rowFrom, int rowTo, int from, int to, double epsilon) {
        double n = (double) (rowTo - rowFrom) * (to - from);
        double mean = 0;
        double square = 0;
        for (int t = rowFrom; t < rowTo; t++) {
            for (int c = from; c < to; c++) {
                mean += x[t][c] / n;
                square += x[t][c] * x[t][c] / n;
            }
        }
        double scale = 1 / Math.sqrt(square - mean * mean + epsilon);
        for (int t = rowFrom; t < rowTo; t++) {
            for (int c = from; c < to; c++) {
                x[t][c] = (x[t][c] - mean) * scale;
            }
        }
    }

    private static double[][] copy(double[][] x) {
        double[][] y = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            y[t] = x[t].clone();
        }
        return y;
    }

    private double[][] affine(String name, double[][] x) {
        for (double[] token : x) {
            for (int c = 0; c < token.length; c++) {
                token[c] = token[c] * values(name + ".weight")[c] + values(name + ".bias")[c];
            }
        }
        return x;
    }

    private double[][] layerNorm(String name, double[][] x) {
        double[][] y = copy(x);
        for (int t = 0; t < y.length; t++) {
            standardize(y, t, t + 1, 0, CHANNELS, 1e-5);
        }
        return affine(name, y);
    }

    private double[][] attention(String name, double[][] x, double[][] context) {
        double[][] q = linear(name + ".to_q", x, false);
        double[][] k = linear(name + ".to_k", context, false);
        double[][] v = linear(name + ".to_v", context, false);
        double[][] mixed = new double[x.length][CHANNELS];
        int size = CHANNELS / HEADS;
        for (int head = 0; head < HEADS; head++) {
            for (int t = 0; t < x.length; t++) {
                double[] weights = new double[context.length];
                double total = 0;
                for (int s = 0; s < context.length; s++) {
                    double score = 0;
                    for (int c = head * size; c < (head + 1) * size; c++) {
                        score += q[t][c] * k[s][c];
                    }
                    weights[s] = Math.exp(score / Math.sqrt(size));
                    total += weights[s];
                }
                for (int s = 0; s < context.length; s++) {
                    for (int c = head * size; c < (head + 1) * size; c++) {
                        mixed[t][c] += weights[s] / total * v[s][c];
                    }
                }
            }
        }
        return linear(name + ".to_out.0", mixed, true);
    }

    /** Φ by Simpson's rule over [−12, x]. */
    private static double normalDistribution(double x) {
        DoubleUnaryOperator density = u -> Math.exp(-u * u / 2) / Math.sqrt(2 * Math.PI);
        int steps = 2000;
        double h = (x + 12) / steps;
        double sum = density.applyAsDouble(-12) + density.applyAsDouble(x);
        for (int i = 1; i < steps; i++) {
            sum += (i % 2 == 0 ? 2 : 4) * density.applyAsDouble(-12 + i * h);
        }
        return sum * h / 3;
    }

    private double[][] feedForward(String name, double[][] x) {
        double[][] expanded = linear(name + ".net.0.proj", x, true);
        int inner = 4 * CHANNELS;
        double[][] gated = new double[x.length][inner];
        for (int t = 0; t < x.length; t++) {
            for (int c = 0; c < inner; c++) {
                double gate = expanded[t][inner + c];
                gated[t][c] = expanded[t][c] * gate * normalDistribution(gate);
            }
        }
        return linear(name + ".net.2", gated, true);
    }

    private static double[][] sum(double[][] a, double[][] b) {
        double[][] y = copy(a);
        for (int t = 0; t < y.length; t++) {
            for (int c = 0; c < y[t].length; c++) {
                y[t][c] += b[t][c];
            }
        }
        return y;
    }

    private double[][] expected(double[][] x, double[][] context, boolean linear, boolean onlyCross) {
        double[][] h = copy(x);
        int groupSize = CHANNELS / GROUPS;
        for (int group = 0; group < GROUPS; group++) {
            standardize(h, 0, PIXELS, group * groupSize, (group + 1) * groupSize, 1e-6);
        }
        h = projection("proj_in", affine("norm", h), linear);
        for (int i = 0; i < BLOCKS; i++) {
            String block = "transformer_blocks." + i;
            double[][] first = layerNorm(block + ".norm1", h);
            h = sum(h, attention(block + ".attn1", first, onlyCross ? context : first));
            h = sum(h, attention(block + ".attn2", layerNorm(block + ".norm2", h), context));
            h = sum(h, feedForward(block + ".ff", layerNorm(block + ".norm3", h)));
        }
        return sum(x, projection("proj_out", h, linear));
    }

    private static double[][] random(int rows, int columns, UniformRandomProvider rng) {
        double[][] x = new double[rows][columns];
        for (double[] row : x) {
            for (int c = 0; c < columns; c++) {
                row[c] = rng.nextFloat(-1.5f, 1.5f);
            }
        }
        return x;
    }

    private static float[] flat(double[][] x) {
        float[] values = new float[x.length * x[0].length];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) x[i / x[0].length][i % x[0].length];
        }
        return values;
    }

    /** The transformer "t" of the parameter set, with weights of which none is special. */
    private Transformer2d transformer(boolean linear, boolean onlyCross) {
        TransformerConfig config = new TransformerConfig(
                TOKENS, TOKEN_CHANNELS, List.of(4, HEADS), List.of(1, BLOCKS), List.of(false, false), linear, false);
        Transformer2d transformer = new Transformer2d(set, "t", CHANNELS, GROUPS, config, 1, onlyCross);
        transformer.initialize(RandomSource.XO_SHI_RO_256_PP.create(7L));
        set.all().forEach(p -> TinyUNets.perturb(p, 8));
        return transformer;
    }

    @ParameterizedTest
    @CsvSource({"true,false", "true,true", "false,false"})
    void theDefinitionWrittenOutInDoublePrecision(boolean linear, boolean onlyCross) {
        Transformer2d transformer = transformer(linear, onlyCross);
        UniformRandomProvider rng = RandomSource.XO_SHI_RO_256_PP.create(9L);
        double[][] x = random(PIXELS, CHANNELS, rng);
        double[][] context = random(TOKENS, TOKEN_CHANNELS, rng);
        try (Backend backend = new ScalarBackend()) {
            Tape tape = Tape.forInference(backend, new Arena(backend));
            Variable input = tape.input(1, PIXELS, CHANNELS);
            Variable tokens = tape.input(1, TOKENS, TOKEN_CHANNELS);
            Variable output = transformer
                    .forward(tape, new FeatureMap(input, 2, 3), tokens)
                    .variable();
            tape.keep(output);
            tape.seal();
            backend.upload(flat(x), 0, input.value());
            backend.upload(flat(context), 0, tokens.value());
            tape.forward();
            assertArrayEquals(
                    flat(expected(x, context, linear, onlyCross)),
                    output.value().toArray(),
                    2e-5f);
        }
    }

    @ParameterizedTest
    @CsvSource({"true,false,false", "true,true,false", "false,false,false", "false,true,true"})
    void gradients(boolean linear, boolean onlyCross, boolean adapters) {
        Transformer2d transformer = transformer(linear, onlyCross);
        if (adapters) {
            for (Adaptable matrix : transformer.matrices()) {
                matrix.adapt(set, 2, 0.5f);
            }
            set.trainOnly(Weights::isLoraFactor);
        }
        List<Parameter> checked =
                set.all().stream().filter(Parameter::trainable).toList();
        if (adapters) {
            checked.forEach(p -> TinyUNets.perturb(p, 10));
        }
        new GradientCheck(3)
                .parameters(checked)
                .coordinates(6)
                .step(1f / 16)
                .input(2, PIXELS, CHANNELS)
                .input(2, TOKENS, TOKEN_CHANNELS)
                .check((tape, in) -> transformer
                        .forward(tape, new FeatureMap(in.get(0), 2, 3), in.get(1))
                        .variable());
    }
}
