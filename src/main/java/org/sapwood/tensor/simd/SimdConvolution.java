package org.sapwood.tensor.simd;

import static org.sapwood.tensor.simd.Lanes.LANES;
import static org.sapwood.tensor.simd.Lanes.PANEL;
import static org.sapwood.tensor.simd.Lanes.V;

import jdk.incubator.vector.FloatVector;
import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.ConvGeometry;
import org.sapwood.tensor.Tensor;

/**
 * Convolution: 3×3 of stride 1 by way of {@link WinogradConvolution} where that gains, all else the plain way, an implicit
 * matrix product over NHWC. There the rows of A are windows of the zero-padded image, and only the weight gradient of a
 * narrow image copies them; a window row is one slice of k. A pixel's sum runs through the window in row-major order,
 * channels innermost.
 */
final class SimdConvolution {
    private final float[] lanes = new float[V];
    /** Most output channels for which a dot product per channel beats a panel of padding. */
    private static final int NARROW = 4;

    private final RowGemm rowGemm;
    private final ColumnGemm columnGemm;
    private final WinogradConvolution winograd;
    private final WinogradFilterGradient filterGradient;
    private final PaddedImages padded = new PaddedImages();
    private float[] packed = new float[0];
    private float[] windows = new float[0];
    private float[] transposed = new float[0];

    SimdConvolution(RowGemm rowGemm, ColumnGemm columnGemm) {
        this.rowGemm = rowGemm;
        this.columnGemm = columnGemm;
        WinogradBuffers buffers = new WinogradBuffers();
        winograd = new WinogradConvolution(buffers);
        filterGradient = new WinogradFilterGradient(buffers);
    }

    void conv2d(Tensor x, Tensor weight, @Nullable Tensor bias, ConvGeometry geometry, Tensor y) {
        if (!WinogradConvolution.suits(geometry) || !isTame(weight)) {
            plainForward(x, weight, bias, geometry, y);
            return;
        }
        winograd.useFilters(weight.array(), weight.offset(), geometry.inChannels(), geometry.outChannels());
        winograd.convolve(x, geometry, bias, y, false);
        for (int image = 0; image < x.dim(0); image++) {
            if (winograd.leftOut(image)) {
                plainForward(x.slice(image, image + 1), weight, bias, geometry, y.slice(image, image + 1));
            }
        }
    }

    private static boolean isTame(Tensor weight) {
        return WinogradConvolution.isTame(weight.array(), weight.offset(), weight.size());
    }

    private void plainForward(Tensor x, Tensor weight, @Nullable Tensor bias, ConvGeometry geometry, Tensor y) {
        int in = geometry.inChannels();
        int out = geometry.outChannels();
        if (out <= NARROW && in % V == 0) {
            narrowForward(x, weight, bias, geometry, y);
            return;
        }
        int kernel = geometry.kernel();
        int stride = geometry.stride();
        int depth = kernel * kernel * in;
        float[] right = weight.array();
        int bStart = weight.offset();
        int ldb = out;
        int panelStep = PANEL;
        if (out % V != 0) {
            packed = Lanes.grow(packed, Panels.size(depth, out));
            Panels.pack(right, bStart, out, depth, out, 1f, packed, 0);
            right = packed;
            bStart = 0;
            ldb = PANEL;
            panelStep = depth * PANEL;
        }
        float[] start =
                bias == null ? rowGemm.zeroStart(out) : rowGemm.startRow(bias.array(), bias.offset(), out, true);
        int batch = x.dim(0);
        shapeInput(geometry);
        int group = padded.group(batch);
        for (int first = 0; first < batch; first += group) {
            int count = Math.min(group, batch - first);
            padded.load(x.array(), x.offset() + first * geometry.inTokens() * in, count);
            int yStart = y.offset() + first * geometry.outTokens() * out;
            setPixels(count, geometry.outHeight(), geometry.outWidth(), stride * in, stride * padded.rowStride);
            setOutputs(
                    count,
                    geometry.outHeight(),
                    geometry.outWidth(),
                    yStart,
                    geometry.outTokens(),
                    geometry.outWidth(),
                    1,
                    out);
            for (int ky = 0; ky < kernel; ky++) {
                int b = bStart + ky * kernel * in * ldb;
                int shift = ky * padded.rowStride;
                if (ky == 0) {
                    rowGemm.begin(padded.array, shift, kernel * in, right, b, ldb, panelStep, out, start, y.array());
                } else {
                    rowGemm.add(padded.array, shift, kernel * in, right, b, ldb, panelStep, out, y.array());
                }
            }
        }
    }

    /**
     * To so few channels that most of a panel would be padding: a dot product per pixel and channel, vectors running along
     * the window instead.
     */
    private void narrowForward(Tensor x, Tensor weight, @Nullable Tensor bias, ConvGeometry geometry, Tensor y) {
        int in = geometry.inChannels();
        int out = geometry.outChannels();
        int kernel = geometry.kernel();
        int run = kernel * in;
        packWindows(weight, out, kernel, run);
        shapeInput(geometry);
        for (int sample = 0; sample < x.dim(0); sample++) {
            padded.load(x.array(), x.offset() + sample * geometry.inTokens() * in, 1);
            int to = y.offset() + sample * geometry.outTokens() * out;
            for (int pixel = 0; pixel < geometry.outTokens(); pixel++) {
                int row = pixel / geometry.outWidth() * padded.rowStride;
                int from = padded.start + geometry.stride() * (row + pixel % geometry.outWidth() * in);
                for (int o = 0; o < out; o++) {
                    float sum = window(padded.array, from, padded.rowStride, packed, o * kernel * run, kernel, run);
                    y.array()[to + pixel * out + o] = bias == null ? sum : sum + bias.array()[bias.offset() + o];
                }
            }
        }
    }

    /** One window times one filter; {@code run} is a multiple of V. */
    private float window(float[] x, int start, int rowStride, float[] filter, int filterStart, int kernel, int run) {
        FloatVector sum = FloatVector.zero(LANES);
        for (int ky = 0; ky < kernel; ky++) {
            int xAt = start + ky * rowStride;
            int filterAt = filterStart + ky * run;
            for (int j = 0; j < run; j += V) {
                FloatVector taps = FloatVector.fromArray(LANES, filter, filterAt + j);
                sum = FloatVector.fromArray(LANES, x, xAt + j).fma(taps, sum);
            }
        }
        sum.intoArray(lanes, 0);
        return Lanes.sum(lanes);
    }

    /** The weight as [Cout][k][kernel·Cin]. */
    private void packWindows(Tensor weight, int out, int kernel, int run) {
        packed = Lanes.grow(packed, out * kernel * run);
        for (int o = 0; o < out; o++) {
            for (int ky = 0; ky < kernel; ky++) {
                int to = (o * kernel + ky) * run;
                int from = weight.offset() + ky * run * out + o;
                for (int j = 0; j < run; j++) {
                    packed[to + j] = weight.array()[from + j * out];
                }
            }
        }
    }

    /**
     * The transposed convolution. With stride s the pixels of dx fall into s² classes by their coordinates modulo s; a
     * class meets only the taps of its own residue, so no product with an inserted zero is ever formed.
     */
    void conv2dBackwardInput(Tensor dy, Tensor weight, ConvGeometry geometry, Tensor dx, boolean accumulate) {
        if (!winograd.suitsTransposed(geometry) || !isTame(weight)) {
            plainBackward(dy, weight, geometry, dx, accumulate);
            return;
        }
        ConvGeometry transposed = winograd.transposed(geometry);
        winograd.useTurnedFilters(weight.array(), weight.offset(), geometry.inChannels(), geometry.outChannels());
        winograd.convolve(dy, transposed, null, dx, accumulate);
        for (int image = 0; image < dy.dim(0); image++) {
            if (winograd.leftOut(image)) {
                plainBackward(dy.slice(image, image + 1), weight, geometry, dx.slice(image, image + 1), accumulate);
            }
        }
    }

    private void plainBackward(Tensor dy, Tensor weight, ConvGeometry geometry, Tensor dx, boolean accumulate) {
        int stride = geometry.stride();
        for (int py = 0; py < Math.min(stride, geometry.height()); py++) {
            for (int px = 0; px < Math.min(stride, geometry.width()); px++) {
                backwardClass(dy, weight, geometry, dx, accumulate, py, px);
            }
        }
    }

    private void backwardClass(
            Tensor dy, Tensor weight, ConvGeometry geometry, Tensor dx, boolean accumulate, int py, int px) {
        int in = geometry.inChannels();
        int out = geometry.outChannels();
        int stride = geometry.stride();
        int tapsY = taps(geometry, py);
        int tapsX = taps(geometry, px);
        int rows = (geometry.height() - py + stride - 1) / stride;
        int columns = (geometry.width() - px + stride - 1) / stride;
        int depth = tapsY * tapsX * out;
        packTaps(weight, geometry, py, px, tapsY, tapsX);
        padded.shape(
                geometry.outHeight(),
                geometry.outWidth(),
                out,
                -firstOutput(geometry, py, tapsY),
                -firstOutput(geometry, px, tapsX),
                rows + Math.max(0, tapsY - 1),
                columns + Math.max(0, tapsX - 1));
        int batch = dx.dim(0);
        int group = padded.group(batch);
        float[] start = rowGemm.zeroStart(in);
        for (int first = 0; first < batch; first += group) {
            int count = Math.min(group, batch - first);
            padded.load(dy.array(), dy.offset() + first * geometry.outTokens() * out, count);
            setPixels(count, rows, columns, out, padded.rowStride);
            int dxStart = dx.offset() + (first * geometry.inTokens() + py * geometry.width() + px) * in;
            setOutputs(count, rows, columns, dxStart, geometry.inTokens(), stride * geometry.width(), stride, in);
            boolean started = accumulate;
            for (int tap = 0; tap < Math.max(1, tapsY); tap++) {
                int k = tapsX * Math.min(tapsY, 1) * out;
                int shift = tap * padded.rowStride;
                int b = tap * k * PANEL;
                if (started) {
                    rowGemm.add(padded.array, shift, k, packed, b, PANEL, depth * PANEL, in, dx.array());
                } else {
                    rowGemm.begin(padded.array, shift, k, packed, b, PANEL, depth * PANEL, in, start, dx.array());
                }
                started = true;
            }
        }
    }

    /** How many kernel rows (or columns) meet the pixels of residue {@code parity}. */
    private static int taps(ConvGeometry geometry, int parity) {
        int smallest = (parity + geometry.padLow()) % geometry.stride();
        return smallest >= geometry.kernel() ? 0 : (geometry.kernel() - 1 - smallest) / geometry.stride() + 1;
    }

    /** The output row met by the largest tap at the first pixel of residue {@code parity}; may be negative. */
    private static int firstOutput(ConvGeometry geometry, int parity, int taps) {
        int smallest = (parity + geometry.padLow()) % geometry.stride();
        int largest = smallest + (taps - 1) * geometry.stride();
        return (parity + geometry.padLow() - largest) / geometry.stride();
    }

    /** Packs the taps of one class, largest first, each as its transpose [Cout, Cin]. */
    private void packTaps(Tensor weight, ConvGeometry geometry, int py, int px, int tapsY, int tapsX) {
        int in = geometry.inChannels();
        int out = geometry.outChannels();
        int kernel = geometry.kernel();
        int stride = geometry.stride();
        int depth = tapsY * tapsX * out;
        packed = Lanes.grow(packed, Panels.size(depth, in));
        int smallestY = (py + geometry.padLow()) % stride;
        int smallestX = (px + geometry.padLow()) % stride;
        for (int ty = 0; ty < tapsY; ty++) {
            int ky = smallestY + (tapsY - 1 - ty) * stride;
            for (int tx = 0; tx < tapsX; tx++) {
                int kx = smallestX + (tapsX - 1 - tx) * stride;
                int from = weight.offset() + (ky * kernel + kx) * in * out;
                int to = (ty * tapsX + tx) * out * PANEL;
                Panels.packTransposed(weight.array(), from, out, out, in, 1f, packed, to, depth * PANEL);
            }
        }
    }

    private void shapeInput(ConvGeometry geometry) {
        int margin = geometry.padLow() + geometry.padHigh();
        padded.shape(
                geometry.height(),
                geometry.width(),
                geometry.inChannels(),
                geometry.padLow(),
                geometry.padLow(),
                geometry.height() + margin,
                geometry.width() + margin);
    }

    private void setPixels(int images, int height, int width, int xStep, int yStep) {
        rowGemm.reserve(images * height * width);
        int[] table = rowGemm.aRow;
        int row = 0;
        for (int image = 0; image < images; image++) {
            for (int y = 0; y < height; y++) {
                int at = padded.start + image * padded.imageStride + y * yStep;
                for (int x = 0; x < width; x++) {
                    table[row++] = at + x * xStep;
                }
            }
        }
    }

    private void setOutputs(
            int images, int height, int width, int start, int tokens, int yStep, int xStep, int channels) {
        int[] table = rowGemm.cRow;
        int row = 0;
        for (int image = 0; image < images; image++) {
            for (int y = 0; y < height; y++) {
                int at = start + (image * tokens + y * yStep) * channels;
                for (int x = 0; x < width; x++) {
                    table[row++] = at + x * xStep * channels;
                }
            }
        }
        rowGemm.setRows(row);
    }

    /** Gradient of one sample's weight [k, k, Cin, Cout] into {@code c}, replacing what stands there. */
    void weightGradient(Tensor x, Tensor dy, int sample, ConvGeometry geometry, float[] c, int cStart) {
        int in = geometry.inChannels();
        int out = geometry.outChannels();
        int kernel = geometry.kernel();
        int xStart = x.offset() + sample * geometry.inTokens() * in;
        int dyStart = dy.offset() + sample * geometry.outTokens() * out;
        if (WinogradFilterGradient.suits(geometry)) {
            filterGradient.compute(x.array(), xStart, dy.array(), dyStart, geometry, c, cStart);
            return;
        }
        shapeInput(geometry);
        padded.load(x.array(), xStart, 1);
        boolean swap = out < V;
        if (swap) {
            transposed = Lanes.grow(transposed, out * kernel * in);
        }
        boolean narrow = geometry.outWidth() < V && padded.rowStride != geometry.outWidth() * in;
        if (narrow) {
            gatherWindows(geometry);
        }
        for (int ky = 0; ky < kernel; ky++) {
            int to = cStart + ky * kernel * in * out;
            int stride = geometry.stride();
            float[] window = narrow ? windows : padded.array;
            int shift = narrow ? gatheredRow(geometry, ky) : padded.start + ky * padded.rowStride;
            int xStep = narrow ? kernel * in : stride * in;
            int yStep = narrow ? geometry.outWidth() * xStep : stride * padded.rowStride;
            int segments = geometry.outHeight();
            int length = geometry.outWidth();
            if (yStep == length * xStep) {
                length *= segments;
                segments = 1;
            }
            columnGemm.over(segments, length);
            if (swap) {
                columnGemm.left(dy.array(), dyStart, out, length * out).right(window, shift, xStep, yStep);
                columnGemm.multiply(out, kernel * in, transposed, 0, kernel * in, false);
                for (int i = 0; i < kernel * in; i++) {
                    for (int o = 0; o < out; o++) {
                        c[to + i * out + o] = transposed[o * kernel * in + i];
                    }
                }
            } else {
                columnGemm.left(window, shift, xStep, yStep).right(dy.array(), dyStart, out, length * out);
                columnGemm.multiply(kernel * in, out, c, to, out, false);
            }
        }
    }

    /**
     * Copies the windows of every row of the padded image one behind the other, each kernel·Cin floats: rows of one residue
     * by the stride together, so that those which meet a kernel row are neighbours.
     */
    private void gatherWindows(ConvGeometry geometry) {
        int run = geometry.kernel() * geometry.inChannels();
        int step = geometry.stride() * geometry.inChannels();
        int rows = padded.imageStride / padded.rowStride;
        windows = Lanes.grow(windows, (rows + geometry.stride()) * geometry.outWidth() * run);
        for (int row = 0; row < rows; row++) {
            int from = padded.start + row * padded.rowStride;
            int to = gatheredRow(geometry, row);
            for (int x = 0; x < geometry.outWidth(); x++) {
                System.arraycopy(padded.array, from + x * step, windows, to + x * run, run);
            }
        }
    }

    /** Where the windows of a row of the padded image stand. */
    private int gatheredRow(ConvGeometry geometry, int row) {
        int stride = geometry.stride();
        int perResidue = Math.ceilDiv(padded.imageStride / padded.rowStride, stride);
        int place = row % stride * perResidue + row / stride;
        return place * geometry.outWidth() * geometry.kernel() * geometry.inChannels();
    }
}
