package org.sapwood.autograd;

import java.util.List;
import org.apache.commons.rng.sampling.distribution.ContinuousSampler;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;
import org.apache.commons.rng.simple.RandomSource;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.ConvGeometry;
import org.sapwood.tensor.Indices;
import org.sapwood.tensor.Tensor;

/** A 3×3 image through one parametrised operation of each kind, with fixed random weights and data. */
final class SmallNet {
    static final int CLASSES = 4;
    private static final int TOKENS = 9;
    private static final int CHANNELS = 3;
    private static final int WIDTH = 4;

    final Parameter kernel = parameter("kernel", DiskLayout.CONVOLUTION, 1, 3, 3, CHANNELS, WIDTH);
    final Parameter kernelBias = parameter("kernelBias", DiskLayout.SAME, 2, WIDTH);
    final Parameter table = parameter("table", DiskLayout.SAME, 3, CLASSES, WIDTH);
    final Parameter gamma = parameter("gamma", DiskLayout.SAME, 4, WIDTH);
    final Parameter beta = parameter("beta", DiskLayout.SAME, 5, WIDTH);
    final Parameter weight = parameter("weight", DiskLayout.SAME, 6, CHANNELS, WIDTH);
    final Parameter bias = parameter("bias", DiskLayout.SAME, 7, CHANNELS);
    final Parameter a = parameter("a", DiskLayout.SAME, 8, 2, WIDTH);
    final Parameter b = parameter("b", DiskLayout.SAME, 9, CHANNELS, 2);
    final List<Parameter> parameters = List.of(kernel, kernelBias, table, gamma, beta, weight, bias, a, b);

    static float[] normals(int count, long seed) {
        ContinuousSampler normal = ZigguratSampler.NormalizedGaussian.of(RandomSource.XO_SHI_RO_256_PP.create(seed));
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) normal.sample();
        }
        return values;
    }

    static Parameter parameter(String name, DiskLayout layout, long seed, int... extents) {
        Tensor value = Tensor.zeros(extents);
        System.arraycopy(normals(value.size(), seed), 0, value.array(), 0, value.size());
        return new Parameter(name, value, layout);
    }

    ParameterVector vector() {
        return ParameterVector.ofTrainable(parameters);
    }

    /** The network recorded for one batch size, with example {@code first + slot} in each slot. */
    final class Replay {
        private final Backend backend;
        private final Tape tape;
        private final Variable x;
        private final Variable target;
        private final Indices classes;
        final Variable loss;

        Replay(Backend backend, Arena arena, int batch) {
            this.backend = backend;
            tape = Tape.forTraining(backend, arena);
            x = tape.input(batch, TOKENS, CHANNELS);
            target = tape.input(batch, TOKENS, CHANNELS);
            classes = new Indices(batch);
            Variable h = Conv2dOp.conv2d(tape, x, kernel, kernelBias, ConvGeometry.same(3, 3, CHANNELS, WIDTH, 3));
            h = AddPerSampleOp.addPerSample(tape, h, EmbeddingOp.embedding(tape, table, classes));
            h = GroupNormOp.groupNorm(tape, h, gamma, beta, 2, 1e-5f, true);
            Variable y = LinearOp.linear(tape, h, weight, bias, new LoraFactors(a, b, 0.5f));
            loss = MeanSquaredErrorOp.meanSquaredError(tape, y, target, 1f);
            tape.seal();
        }

        /** Puts an example into a slot; its data depend on its number alone. */
        void set(int slot, int example) {
            float[] data = normals(2 * TOKENS * CHANNELS, 100 + example);
            backend.upload(data, 0, x.value().slice(slot, slot + 1));
            backend.upload(data, TOKENS * CHANNELS, target.value().slice(slot, slot + 1));
            classes.values()[slot] = example % CLASSES;
        }

        void setAll(int first) {
            for (int slot = 0; slot < classes.length(); slot++) {
                set(slot, first + slot);
            }
        }

        Tensor input() {
            return x.value();
        }

        List<WeightUse> weightUses() {
            return tape.weightUses();
        }

        void run(GradientSink sink) {
            tape.forward();
            tape.backward(sink);
        }
    }
}
