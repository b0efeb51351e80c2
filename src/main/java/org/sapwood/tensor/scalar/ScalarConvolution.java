package org.sapwood.tensor.scalar;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.ConvGeometry;
import org.sapwood.tensor.GradientRows;
import org.sapwood.tensor.Tensor;

/**
 * Direct convolution over NHWC images. Output pixel (oy, ox) sees input pixel (oy·stride + ky − padLow,
 * ox·stride + kx − padLow) through weight [ky, kx]; pixels outside the image are skipped.
 */
final class ScalarConvolution {
    /** Stands for a pixel outside the image. */
    private static final int OUTSIDE = -1;

    private ScalarConvolution() {}

    static void conv2d(Tensor x, Tensor weight, @Nullable Tensor bias, ConvGeometry geometry, Tensor y) {
        int in = geometry.inChannels();
        int out = geometry.outChannels();
        double[] sums = new double[out];
        for (int sample = 0; sample < x.dim(0); sample++) {
            int image = x.offset() + sample * geometry.inTokens() * in;
            int result = y.offset() + sample * geometry.outTokens() * out;
            for (int output = 0; output < geometry.outTokens(); output++) {
                ScalarBlas.startFromBias(sums, bias);
                for (int tap = 0; tap < geometry.kernel() * geometry.kernel(); tap++) {
                    int input = inputPixel(geometry, output, tap);
                    if (input == OUTSIDE) {
                        continue;
                    }
                    for (int c = 0; c < in; c++) {
                        float factor = x.array()[image + input * in + c];
                        Sums.addProduct(sums, factor, weight.array(), weight.offset() + (tap * in + c) * out);
                    }
                }
                Sums.store(sums, 1, y.array(), result + output * out, false);
            }
        }
    }

    static void conv2dBackwardInput(Tensor dy, Tensor weight, ConvGeometry geometry, Tensor dx, boolean accumulate) {
        int in = geometry.inChannels();
        int out = geometry.outChannels();
        int taps = geometry.kernel() * geometry.kernel();
        float[][] transposed = new float[taps][];
        for (int tap = 0; tap < taps; tap++) {
            transposed[tap] = ScalarBlas.transpose(weight.array(), weight.offset() + tap * in * out, in, out);
        }
        double[] sums = new double[in];
        for (int sample = 0; sample < dx.dim(0); sample++) {
            int gradient = dy.offset() + sample * geometry.outTokens() * out;
            int result = dx.offset() + sample * geometry.inTokens() * in;
            for (int input = 0; input < geometry.inTokens(); input++) {
                Arrays.fill(sums, 0);
                for (int tap = 0; tap < taps; tap++) {
                    int output = outputPixel(geometry, input, tap);
                    if (output == OUTSIDE) {
                        continue;
                    }
                    for (int c = 0; c < out; c++) {
                        float factor = dy.array()[gradient + output * out + c];
                        Sums.addProduct(sums, factor, transposed[tap], c * in);
                    }
                }
                Sums.store(sums, 1, dx.array(), result + input * in, accumulate);
            }
        }
    }

    static void convWeightGradient(Tensor x, Tensor dy, ConvGeometry geometry, GradientRows target) {
        int in = geometry.inChannels();
        int out = geometry.outChannels();
        double[] sums = new double[out];
        for (int sample = 0; sample < x.dim(0); sample++) {
            int image = x.offset() + sample * geometry.inTokens() * in;
            int gradient = dy.offset() + sample * geometry.outTokens() * out;
            for (int tap = 0; tap < geometry.kernel() * geometry.kernel(); tap++) {
                for (int c = 0; c < in; c++) {
                    Arrays.fill(sums, 0);
                    for (int output = 0; output < geometry.outTokens(); output++) {
                        int input = inputPixel(geometry, output, tap);
                        if (input != OUTSIDE) {
                            float factor = x.array()[image + input * in + c];
                            Sums.addProduct(sums, factor, dy.array(), gradient + output * out);
                        }
                    }
                    Sums.store(sums, 1, target, sample, (tap * in + c) * out);
                }
            }
        }
    }

    static void upsample2x(Tensor x, int height, int width, Tensor y) {
        int channels = x.dim(-1);
        for (int sample = 0; sample < x.dim(0); sample++) {
            int small = x.offset() + sample * height * width * channels;
            int large = y.offset() + sample * 4 * height * width * channels;
            for (int row = 0; row < 2 * height; row++) {
                for (int column = 0; column < 2 * width; column++) {
                    int from = small + (row / 2 * width + column / 2) * channels;
                    int to = large + (row * 2 * width + column) * channels;
                    System.arraycopy(x.array(), from, y.array(), to, channels);
                }
            }
        }
    }

    static void upsample2xBackward(Tensor dy, int height, int width, Tensor dx, boolean accumulate) {
        int channels = dx.dim(-1);
        double[] sums = new double[channels];
        for (int sample = 0; sample < dx.dim(0); sample++) {
            int small = dx.offset() + sample * height * width * channels;
            int large = dy.offset() + sample * 4 * height * width * channels;
            for (int row = 0; row < height; row++) {
                for (int column = 0; column < width; column++) {
                    int upper = large + (2 * row * 2 * width + 2 * column) * channels;
                    int lower = upper + 2 * width * channels;
                    Arrays.fill(sums, 0);
                    Sums.addProduct(sums, 1, dy.array(), upper);
                    Sums.addProduct(sums, 1, dy.array(), upper + channels);
                    Sums.addProduct(sums, 1, dy.array(), lower);
                    Sums.addProduct(sums, 1, dy.array(), lower + channels);
                    Sums.store(sums, 1, dx.array(), small + (row * width + column) * channels, accumulate);
                }
            }
        }
    }

    /** The input pixel that output pixel {@code output} sees through {@code tap} = ky·k + kx, or {@link #OUTSIDE}. */
    private static int inputPixel(ConvGeometry geometry, int output, int tap) {
        int row = output / geometry.outWidth() * geometry.stride() + tap / geometry.kernel() - geometry.padLow();
        int column = output % geometry.outWidth() * geometry.stride() + tap % geometry.kernel() - geometry.padLow();
        boolean inside = row >= 0 && row < geometry.height() && column >= 0 && column < geometry.width();
        return inside ? row * geometry.width() + column : OUTSIDE;
    }

    /** The output pixel that sees input pixel {@code input} through {@code tap}, or {@link #OUTSIDE}. */
    private static int outputPixel(ConvGeometry geometry, int input, int tap) {
        int row = input / geometry.width() + geometry.padLow() - tap / geometry.kernel();
        int column = input % geometry.width() + geometry.padLow() - tap % geometry.kernel();
        int stride = geometry.stride();
        boolean inside = row >= 0
                && column >= 0
                && row % stride == 0
                && column % stride == 0
                && row / stride < geometry.outHeight()
                && column / stride < geometry.outWidth();
        return inside ? row / stride * geometry.outWidth() + column / stride : OUTSIDE;
    }
}
