package org.sapwood.nn;

import org.sapwood.io.SafetensorsFile;
import org.sapwood.io.UserException;
import org.sapwood.tensor.Tensor;

/** Reads the convolutions of an Inception file, named as torchvision names them, and folds their BatchNorms in. */
final class InceptionWeights {
    /** ε of every BatchNorm of Inception-v3. */
    static final double EPSILON = 0.001;

    private final SafetensorsFile file;

    InceptionWeights(SafetensorsFile file) {
        this.file = file;
    }

    /**
     * One {@code BasicConv2d}: the tensors {@code name.conv.weight} [out, in, kernelHeight, kernelWidth] and
     * {@code name.bn.weight}, {@code .bias}, {@code .running_mean}, {@code .running_var} [out].
     *
     * @throws UserException naming the tensor that is missing, has another shape, or holds a value that cannot be
     */
    FoldedConvolution convolution(
            String name, int in, int out, int kernelHeight, int kernelWidth, int stride, boolean padded) {
        float[] disk = values(name + ".conv.weight", out, in, kernelHeight, kernelWidth);
        float[] gamma = values(name + ".bn.weight", out);
        float[] beta = values(name + ".bn.bias", out);
        float[] mean = values(name + ".bn.running_mean", out);
        float[] variance = values(name + ".bn.running_var", out);
        int taps = kernelHeight * kernelWidth;
        float[] weight = new float[disk.length];
        float[] bias = new float[out];
        for (int o = 0; o < out; o++) {
            if (variance[o] < 0) {
                throw new UserException(file.path() + ": tensor '" + name + ".bn.running_var' holds " + variance[o]
                        + "; a variance must be >= 0");
            }
            double scale = gamma[o] / Math.sqrt(variance[o] + EPSILON);
            bias[o] = (float) (beta[o] - mean[o] * scale);
            for (int i = 0; i < in; i++) {
                for (int tap = 0; tap < taps; tap++) {
                    weight[(tap * in + i) * out + o] = (float) (disk[(o * in + i) * taps + tap] * scale);
                }
            }
        }
        return new FoldedConvolution(
                Tensor.of(weight, kernelHeight, kernelWidth, in, out),
                Tensor.of(bias, out),
                kernelHeight,
                kernelWidth,
                stride,
                padded);
    }

    private float[] values(String name, int... shape) {
        return file.require(name).requireShape(shape).requireFinite().toFloats();
    }
}
