package org.sapwood.autograd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Tensor;
import org.sapwood.tensor.scalar.ScalarBackend;

class GaussianOpsTest {
    @Test
    void gradientOfADraw() {
        new GradientCheck(11)
                .input(2, 5, 6)
                .constant(2, 5, 3)
                .check((tape, x) -> GaussianSampleOp.gaussianSample(tape, x.get(0), x.get(1)));
    }

    @Test
    void gradientOfTheDivergence() {
        for (float gradientScale : new float[] {1, 0.25f}) {
            new GradientCheck(12)
                    .input(3, 4, 4)
                    .checkLoss(
                            gradientScale,
                            (tape, x) -> GaussianDivergenceOp.gaussianDivergence(tape, x.get(0), gradientScale));
        }
    }

    /** N(μ, σ²) against N(0, 1) at values whose divergence is known in closed form. */
    @Test
    void knownDivergences() {
        try (Backend backend = new ScalarBackend()) {
            Tape tape = Tape.forTraining(backend, new Arena(backend));
            Variable moments = tape.differentiableInput(3, 1, 2);
            Variable divergence = GaussianDivergenceOp.gaussianDivergence(tape, moments, 1);
            tape.keep(divergence);
            tape.seal();
            // N(0, 1), N(2, 1), N(0, 4).
            backend.upload(new float[] {0, 0, 2, 0, 0, (float) Math.log(4)}, 0, moments.value());
            tape.forward();
            float[] values = divergence.value().toArray();
            assertEquals(0, values[0]);
            assertEquals(2, values[1]);
            assertEquals(0.5 * (4 - 1 - Math.log(4)), values[2], 1e-6);
        }
    }

    /** A variance that an untrained encoder may give must neither vanish nor overflow, and gets no gradient there. */
    @Test
    void extremeVariancesAreHeldBack() {
        try (Backend backend = new ScalarBackend()) {
            Tape tape = Tape.forTraining(backend, new Arena(backend));
            Variable moments = tape.differentiableInput(1, 3, 2);
            Variable noise = tape.input(1, 3, 1);
            Variable z = GaussianSampleOp.gaussianSample(tape, moments, noise);
            tape.keep(z);
            tape.seal();
            backend.upload(new float[] {1, 500, 1, -500, 1, 0}, 0, moments.value());
            backend.upload(new float[] {1, 1, 1}, 0, noise.value());
            tape.forward();
            assertArrayEquals(
                    new float[] {(float) (1 + Math.exp(10)), (float) (1 + Math.exp(-15)), 2},
                    z.value().toArray());
            backend.upload(new float[] {1, 1, 1}, 0, z.gradient());
            ParameterVector none =
                    ParameterVector.ofTrainable(List.of(new Parameter("unused", Tensor.zeros(1), DiskLayout.SAME)));
            tape.backward(new SumSink(backend, new Arena(backend), none, 1));
            assertArrayEquals(
                    new float[] {1, 0, 1, 0, 1, 0.5f}, moments.gradient().toArray());
        }
    }

    @Test
    void shapesThatDoNotFitAreRefused() {
        try (Backend backend = new ScalarBackend()) {
            Tape tape = Tape.forTraining(backend, new Arena(backend));
            Variable moments = tape.input(2, 5, 6);
            Variable odd = tape.input(2, 5, 3);
            assertThrows(
                    IllegalArgumentException.class,
                    () -> GaussianSampleOp.gaussianSample(tape, moments, tape.input(2, 5, 6)));
            assertThrows(IllegalArgumentException.class, () -> GaussianDivergenceOp.gaussianDivergence(tape, odd, 1));
        }
    }
}
