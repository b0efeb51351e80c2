package org.sapwood.tensor.cuda;

import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.ConvGeometry;
import org.sapwood.tensor.GradientRows;
import org.sapwood.tensor.Tensor;

/**
 * Convolution over NHWC images: launches {@code kernels/convolution.cu}. A 1 x 1 convolution of every pixel is a linear
 * layer, and done as one.
 */
final class CudaConvolution {
    private CudaConvolution() {}

    static void conv2d(
            CudaStream stream, Tensor x, Tensor weight, @Nullable Tensor bias, ConvGeometry geometry, Tensor y) {
        if (isLinear(geometry)) {
            CudaBlas.byMatrix(stream, x, weight, bias, y, false);
            return;
        }
        int in = geometry.inChannels();
        int out = geometry.outChannels();
        int taps = geometry.kernel() * geometry.kernel();
        Packing packing = Packing.rounded(stream);
        Packing.Factor images = packing.matrix(x, x.dim(0) * geometry.inTokens(), in);
        Packing.Factor weights = packing.stack(weight, taps, in, out);
        packing.run();
        Launch launch = patches(stream, x.dim(0) * geometry.outTokens(), out)
                .address(images.address())
                .i32(geometry.height())
                .i32(geometry.width())
                .i32(images.stride())
                .i32(geometry.kernel())
                .i32(geometry.outHeight())
                .i32(geometry.outWidth())
                .i32(x.dim(0) * geometry.outTokens())
                .i32(geometry.stride())
                .i32(-geometry.padLow())
                .i32(1)
                .i32(1)
                .address(weights.address())
                .i32(weights.stride())
                .i32(out)
                .tensor(bias)
                .flag(false)
                .tensor(y);
        launchPatches(launch, stream, packing, x.dim(0) * geometry.outTokens(), out);
    }

    static void conv2dBackwardInput(
            CudaStream stream, Tensor dy, Tensor weight, ConvGeometry geometry, Tensor dx, boolean accumulate) {
        if (isLinear(geometry)) {
            CudaBlas.byTransposed(stream, dy, weight, null, dx, accumulate);
            return;
        }
        Packing packing = Packing.rounded(stream);
        Packing.Factor gradients = packing.matrix(dy, dy.dim(0) * geometry.outTokens(), geometry.outChannels());
        Packing.Factor weights = transposed(packing, weight, geometry);
        packing.run();
        inputGradient(stream, packing, gradients, weights, geometry, dx, accumulate);
    }

    private static Packing.Factor transposed(Packing packing, Tensor weight, ConvGeometry geometry) {
        int taps = geometry.kernel() * geometry.kernel();
        return packing.transposedStack(weight, taps, geometry.inChannels(), geometry.outChannels());
    }

    private static void inputGradient(
            CudaStream stream,
            Packing packing,
            Packing.Factor gradients,
            Packing.Factor weights,
            ConvGeometry geometry,
            Tensor dx,
            boolean accumulate) {
        int in = geometry.inChannels();
        int pixels = dx.dim(0) * geometry.inTokens();
        Launch launch = patches(stream, pixels, in)
                .address(gradients.address())
                .i32(geometry.outHeight())
                .i32(geometry.outWidth())
                .i32(gradients.stride())
                .i32(geometry.kernel())
                .i32(geometry.height())
                .i32(geometry.width())
                .i32(pixels)
                .i32(1)
                .i32(geometry.padLow())
                .i32(-1)
                .i32(geometry.stride())
                .address(weights.address())
                .i32(weights.stride())
                .i32(in)
                .address(0)
                .flag(accumulate)
                .tensor(dx);
        launchPatches(launch, stream, packing, pixels, in);
    }

    private static Launch patches(CudaStream stream, int rows, int columns) {
        return stream.kernel(
                "convolution",
                "convolution_patches_" + tile(stream, rows, columns).name());
    }

    private static void launchPatches(Launch launch, CudaStream stream, Packing packing, int rows, int columns) {
        Tile tile = tile(stream, rows, columns);
        launch.grid(
                tile.count(rows, columns),
                1,
                1,
                tile.threads(),
                tile.sharedBytes(Tile.Layout.DEEP, Tile.Layout.WIDE, packing.elementBytes()));
    }

    private static Tile tile(CudaStream stream, int rows, int columns) {
        return Tile.choose(stream, rows, columns, 1);
    }

    static void convWeightGradient(CudaStream stream, Tensor x, Tensor dy, ConvGeometry geometry, GradientRows target) {
        int samples = x.dim(0);
        if (isLinear(geometry)) {
            CudaBlas.tokenProducts(stream, x, geometry.inChannels(), dy, geometry.outChannels(), samples, 1, target);
            return;
        }
        if (samples == 0) {
            return;
        }
        Packing packing = Packing.rounded(stream);
        Packing.Factor images = packing.matrix(x, samples * geometry.inTokens(), geometry.inChannels());
        Packing.Factor gradients = packing.matrix(dy, samples * geometry.outTokens(), geometry.outChannels());
        GradientUnits units = units(stream, packing, images, samples, geometry, target);
        packing.run();
        weightGradient(stream, images, gradients, geometry, units);
    }

    /**
     * {@link #conv2dBackwardInput} and then {@link #convWeightGradient}, for which dy is rounded once instead of twice.
     * The bits are the same.
     */
    static void conv2dBackward(
            CudaStream stream,
            Tensor x,
            Tensor dy,
            Tensor weight,
            ConvGeometry geometry,
            Tensor dx,
            boolean accumulate,
            GradientRows target) {
        int samples = x.dim(0);
        if (isLinear(geometry) || samples == 0) {
            conv2dBackwardInput(stream, dy, weight, geometry, dx, accumulate);
            convWeightGradient(stream, x, dy, geometry, target);
            return;
        }
        Packing packing = Packing.rounded(stream);
        Packing.Factor images = packing.matrix(x, samples * geometry.inTokens(), geometry.inChannels());
        Packing.Factor gradients = packing.matrix(dy, samples * geometry.outTokens(), geometry.outChannels());
        Packing.Factor weights = transposed(packing, weight, geometry);
        GradientUnits units = units(stream, packing, images, samples, geometry, target);
        packing.run();
        inputGradient(stream, packing, gradients, weights, geometry, dx, accumulate);
        weightGradient(stream, images, gradients, geometry, units);
    }

    private static GradientUnits units(
            CudaStream stream,
            Packing packing,
            Packing.Factor images,
            int samples,
            ConvGeometry geometry,
            GradientRows target) {
        int rows = geometry.kernel() * geometry.kernel() * images.stride();
        int out = geometry.outChannels();
        return GradientUnits.plan(
                new GradientUnits.Gradient(samples, geometry.outTokens(), rows, out, geometry.weightSize()),
                target,
                products -> Tile.choose(stream, rows, out, products),
                packing);
    }

    private static void weightGradient(
            CudaStream stream,
            Packing.Factor images,
            Packing.Factor gradients,
            ConvGeometry geometry,
            GradientUnits units) {
        Launch launch = stream.kernel(
                        "convolution", "convolution_gradient_" + units.tile().name())
                .address(images.address())
                .i32(geometry.height())
                .i32(geometry.width())
                .i32(images.stride())
                .i32(geometry.kernel())
                .i32(geometry.outHeight())
                .i32(geometry.outWidth())
                .i32(geometry.stride())
                .i32(-geometry.padLow())
                .address(gradients.address())
                .i32(gradients.stride());
        units.divide(launch)
                .address(units.first(stream))
                .i64(units.stride())
                .i32(geometry.inChannels())
                .i32(geometry.outChannels())
                .flag(units.accumulates());
        units.run(launch, stream);
    }

    private static boolean isLinear(ConvGeometry geometry) {
        return geometry.kernel() == 1 && geometry.stride() == 1 && geometry.padLow() == 0 && geometry.padHigh() == 0;
    }
}
