package org.sapwood.synthesis;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Random;
import org.apache.commons.rng.simple.RandomSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sapwood.autograd.Adam;
import org.sapwood.autograd.ParameterVector;
import org.sapwood.diffusion.Ema;
import org.sapwood.nn.UNet;
import org.sapwood.nn.UNetConfig;
import org.sapwood.parallel.WorkerPool;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Backends;
import org.sapwood.tensor.Tensor;

/** The optimizer's step is divided among workers: with more weights than one stretch, on both sides of the label embedder. */
class TrainingStateTest {
    private static final int STEPS = 3;
    private static final double RATE = 1e-2;
    private static final double LABEL_FACTOR = 64;
    private static final double DECAY = 0.9;

    private static UNet model() {
        UNet model = new UNet(UNetConfig.unet28(10));
        model.initialize(RandomSource.XO_SHI_RO_256_PP.create(5L));
        return model;
    }

    private static float[] gradient(int size, int step) {
        Random random = new Random(step);
        float[] gradient = new float[size];
        for (int i = 0; i < size; i++) {
            gradient[i] = (float) random.nextGaussian();
        }
        return gradient;
    }

    private static float[] weights(ParameterVector parameters) {
        float[] weights = new float[parameters.size()];
        parameters.read(weights);
        return weights;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5})
    void stepsAreThoseOfTheWholeVector(int threads) {
        UNet model = model();
        ParameterVector parameters = model.parameters().trainable();
        assertTrue(parameters.size() > 3 * WorkerPool.STRETCH, "too few weights to be divided");
        LabelSpan labels = LabelSpan.of(parameters);
        float[] expected = weights(parameters);
        float[] fast = expected.clone();
        Adam adam = new Adam(expected.length);
        Adam fastAdam = new Adam(expected.length);
        Ema average = new Ema(expected, DECAY, true);

        TrainingState state = new TrainingState(model, parameters, DECAY, Map.of());
        state.scaleLabelRate(LABEL_FACTOR);
        try (WorkerPool pool = new WorkerPool(threads)) {
            for (int step = 0; step < STEPS; step++) {
                float[] gradient = gradient(expected.length, step);
                adam.step(expected, gradient, RATE);
                fastAdam.step(fast, gradient, RATE * LABEL_FACTOR);
                System.arraycopy(fast, labels.from(), expected, labels.from(), labels.length());
                average.update(expected);
                state.apply(gradient, RATE, pool);
                assertArrayEquals(expected, weights(parameters), "weights after step " + step);
            }
        }
        state.finish();
        assertArrayEquals(average.values(), weights(parameters), "averaged weights");
    }

    /** The sums of the chains, in order, times a factor, whoever adds them. */
    @Test
    void ordinaryGradientsAreAddedInOrder() {
        int size = model().parameters().trainable().size();
        float[] sum = new float[size];
        float[][] parts = new float[5][];
        for (int unit = 0; unit < parts.length; unit++) {
            parts[unit] = gradient(size, 10 + unit);
            for (int i = 0; i < size; i++) {
                sum[i] += parts[unit][i];
            }
        }
        for (int i = 0; i < size; i++) {
            sum[i] *= 0.125f;
        }
        float[] expected = after(1, (state, pool) -> state.apply(sum, RATE, pool));
        for (int threads : new int[] {1, 3}) {
            float[] actual = after(threads, (state, pool) -> {
                OrderedSum ordered = new OrderedSum(parts.length, size, pool);
                try (Backend backend = Backends.choose("scalar").open()) {
                    for (int unit = parts.length - 1; unit >= 0; unit--) {
                        ordered.accept(0, backend, unit, Tensor.of(parts[unit], 1, size));
                    }
                }
                ordered.train(state, 0.125f, RATE);
            });
            assertArrayEquals(expected, actual, threads + " threads");
        }
    }

    private interface Training {
        void train(TrainingState state, WorkerPool pool);
    }

    /** The weights of a new model after {@code training}. */
    private static float[] after(int threads, Training training) {
        UNet model = model();
        ParameterVector parameters = model.parameters().trainable();
        try (WorkerPool pool = new WorkerPool(threads)) {
            training.train(new TrainingState(model, parameters, DECAY, Map.of()), pool);
        }
        return weights(parameters);
    }
}
