package org.sapwood.nn;

import org.sapwood.tensor.Backend;
import org.sapwood.tensor.ConvGeometry;
import org.sapwood.tensor.Tensor;

/**
 * A convolution with the BatchNorm behind it folded into its weights, then ReLU. Kernels may be rectangular: the windows
 * of those are copied out, which makes of them a 1×1 convolution.
 *
 * @param weight [kernelHeight, kernelWidth, in, out]
 * @param bias [out]
 * @param kernelHeight in pixels
 * @param kernelWidth in pixels
 * @param stride between windows
 * @param padded whether the image is padded by half the kernel on every side
 */
record FoldedConvolution(Tensor weight, Tensor bias, int kernelHeight, int kernelWidth, int stride, boolean padded)
        implements HostLayer {
    @Override
    public HostMap apply(Backend backend, HostMap x) {
        if (x.channels() != weight.dim(2)) {
            throw new IllegalArgumentException(
                    "the convolution takes " + weight.dim(2) + " channels, got " + x.channels());
        }
        if (kernelHeight == kernelWidth) {
            int padding = padded ? kernelHeight / 2 : 0;
            return convolve(
                    backend,
                    x.values(),
                    new ConvGeometry(
                            x.height(), x.width(), x.channels(), bias.size(), kernelHeight, stride, padding, padding));
        }
        int paddingY = padded ? kernelHeight / 2 : 0;
        int paddingX = padded ? kernelWidth / 2 : 0;
        int height = (x.height() + 2 * paddingY - kernelHeight) / stride + 1;
        int width = (x.width() + 2 * paddingX - kernelWidth) / stride + 1;
        int depth = kernelHeight * kernelWidth * x.channels();
        float[] windows = new float[height * width * depth];
        for (int row = 0; row < height; row++) {
            for (int column = 0; column < width; column++) {
                copyWindow(
                        x,
                        row * stride - paddingY,
                        column * stride - paddingX,
                        windows,
                        (row * width + column) * depth);
            }
        }
        return convolve(backend, windows, new ConvGeometry(height, width, depth, bias.size(), 1, 1, 0, 0));
    }

    /** Copies the window whose top left corner is given; what lies outside the image stays 0. */
    private void copyWindow(HostMap x, int top, int left, float[] windows, int to) {
        int channels = x.channels();
        int first = Math.max(0, left);
        int count = Math.min(x.width(), left + kernelWidth) - first;
        for (int ky = 0; ky < kernelHeight; ky++) {
            int row = top + ky;
            if (row >= 0 && row < x.height()) {
                System.arraycopy(
                        x.values(),
                        (row * x.width() + first) * channels,
                        windows,
                        to + (ky * kernelWidth + first - left) * channels,
                        count * channels);
            }
        }
    }

    private HostMap convolve(Backend backend, float[] x, ConvGeometry geometry) {
        Tensor input = Tensor.of(x, 1, geometry.inTokens(), geometry.inChannels());
        Tensor output = Tensor.zeros(1, geometry.outTokens(), geometry.outChannels());
        Tensor square = weight.reshape(geometry.kernel(), geometry.kernel(), geometry.inChannels(), bias.size());
        backend.conv2d(input, square, bias, geometry, output);
        float[] y = output.array();
        for (int i = 0; i < y.length; i++) {
            y[i] = Math.max(0f, y[i]);
        }
        return new HostMap(y, geometry.outHeight(), geometry.outWidth(), geometry.outChannels());
    }
}
