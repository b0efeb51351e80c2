package org.sapwood.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sapwood.io.Safetensors;
import org.sapwood.io.SafetensorsWriter;
import org.sapwood.io.UserException;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Backends;

class FoldedConvolutionTest {
    private static final int IN = 5;
    private static final int OUT = 7;
    private static final int HEIGHT = 9;
    private static final int WIDTH = 11;
    private static final long SEED = 3;

    private final Random rng = new Random(SEED);

    @TempDir
    Path folder;

    private float[] random(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = rng.nextFloat() - 0.5f;
        }
        return values;
    }

    /** Every kind of convolution in Inception-v3, against convolution, BatchNorm and ReLU as PyTorch defines them. */
    @ParameterizedTest
    @CsvSource({
        "1, 1, 1, true",
        "3, 3, 1, true",
        "5, 5, 1, true",
        "1, 3, 1, true",
        "3, 1, 1, true",
        "1, 7, 1, true",
        "7, 1, 1, true",
        "3, 3, 1, false",
        "3, 3, 2, false"
    })
    void convolutionBatchNormAndRelu(int kernelHeight, int kernelWidth, int stride, boolean padded) {
        float[] weight = random(OUT * IN * kernelHeight * kernelWidth);
        float[] gamma = random(OUT);
        float[] beta = random(OUT);
        float[] mean = random(OUT);
        float[] variance = random(OUT);
        for (int o = 0; o < OUT; o++) {
            variance[o] += 0.5f;
        }
        Path path = write(weight, kernelHeight, kernelWidth, gamma, beta, mean, variance);
        FoldedConvolution convolution = new InceptionWeights(Safetensors.read(path))
                .convolution("block", IN, OUT, kernelHeight, kernelWidth, stride, padded);
        float[] x = random(HEIGHT * WIDTH * IN);
        try (Backend backend = Backends.choose().open()) {
            HostMap y = convolution.apply(backend, new HostMap(x, HEIGHT, WIDTH, IN));
            int padY = padded ? kernelHeight / 2 : 0;
            int padX = padded ? kernelWidth / 2 : 0;
            assertEquals((HEIGHT + 2 * padY - kernelHeight) / stride + 1, y.height());
            assertEquals((WIDTH + 2 * padX - kernelWidth) / stride + 1, y.width());
            for (int row = 0; row < y.height(); row++) {
                for (int column = 0; column < y.width(); column++) {
                    for (int o = 0; o < OUT; o++) {
                        double sum = 0;
                        for (int ky = 0; ky < kernelHeight; ky++) {
                            for (int kx = 0; kx < kernelWidth; kx++) {
                                int sourceY = row * stride + ky - padY;
                                int sourceX = column * stride + kx - padX;
                                if (sourceY < 0 || sourceY >= HEIGHT || sourceX < 0 || sourceX >= WIDTH) {
                                    continue;
                                }
                                for (int c = 0; c < IN; c++) {
                                    sum += (double) x[(sourceY * WIDTH + sourceX) * IN + c]
                                            * weight[((o * IN + c) * kernelHeight + ky) * kernelWidth + kx];
                                }
                            }
                        }
                        double normalized = (sum - mean[o]) / Math.sqrt(variance[o] + 0.001) * gamma[o] + beta[o];
                        assertEquals(
                                Math.max(0, normalized),
                                y.values()[(row * y.width() + column) * OUT + o],
                                1e-5,
                                "seed " + SEED + " at " + row + ", " + column + ", " + o);
                    }
                }
            }
        }
    }

    @Test
    void aNegativeVarianceIsRefusedByName() {
        float[] variance = random(OUT);
        variance[4] = -0.1f;
        Path path = write(random(OUT * IN), 1, 1, random(OUT), random(OUT), random(OUT), variance);
        InceptionWeights weights = new InceptionWeights(Safetensors.read(path));
        UserException e = assertThrows(UserException.class, () -> weights.convolution("block", IN, OUT, 1, 1, 1, true));
        assertTrue(e.getMessage().contains("'block.bn.running_var' holds -"), e.getMessage());
    }

    private Path write(
            float[] weight,
            int kernelHeight,
            int kernelWidth,
            float[] gamma,
            float[] beta,
            float[] mean,
            float[] variance) {
        Path path = folder.resolve("block.safetensors");
        new SafetensorsWriter()
                .f32("block.conv.weight", new int[] {OUT, IN, kernelHeight, kernelWidth}, weight)
                .f32("block.bn.weight", new int[] {OUT}, gamma)
                .f32("block.bn.bias", new int[] {OUT}, beta)
                .f32("block.bn.running_mean", new int[] {OUT}, mean)
                .f32("block.bn.running_var", new int[] {OUT}, variance)
                .write(path);
        return path;
    }
}
