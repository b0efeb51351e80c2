package org.sapwood.tensor.simd;

import static org.sapwood.tensor.simd.Lanes.LANES;
import static org.sapwood.tensor.simd.Lanes.V;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import org.sapwood.tensor.Tensor;

/**
 * Pointwise operations, token sums and copies, each one pass over memory. A last partial vector is masked, and every
 * lane does the same arithmetic, so a value's bits do not depend on which lane it meets.
 */
final class SimdElementwise {
    private SimdElementwise() {}

    static void add(Tensor a, Tensor b, Tensor y) {
        add(a.array(), a.offset(), b.array(), b.offset(), y.array(), y.offset(), y.size());
    }

    /** y[j] = a[j] + b[j] for {@code n} elements. */
    static void add(float[] a, int aStart, float[] b, int bStart, float[] y, int yStart, int n) {
        int j = 0;
        for (; j <= n - V; j += V) {
            FloatVector.fromArray(LANES, a, aStart + j)
                    .add(FloatVector.fromArray(LANES, b, bStart + j))
                    .intoArray(y, yStart + j);
        }
        for (; j < n; j++) {
            y[yStart + j] = a[aStart + j] + b[bStart + j];
        }
    }

    static void scale(Tensor x, float alpha, Tensor y, boolean accumulate) {
        scale(x.array(), x.offset(), alpha, y.array(), y.offset(), y.size(), accumulate);
    }

    /** y = α·x or y += α·x for {@code n} elements; α·x is rounded before it is added. */
    static void scale(float[] x, int xStart, float alpha, float[] y, int yStart, int n, boolean accumulate) {
        FloatVector factor = FloatVector.broadcast(LANES, alpha);
        int j = 0;
        if (accumulate) {
            for (; j <= n - V; j += V) {
                FloatVector.fromArray(LANES, x, xStart + j)
                        .mul(factor)
                        .add(FloatVector.fromArray(LANES, y, yStart + j))
                        .intoArray(y, yStart + j);
            }
            for (; j < n; j++) {
                y[yStart + j] += x[xStart + j] * alpha;
            }
        } else {
            for (; j <= n - V; j += V) {
                FloatVector.fromArray(LANES, x, xStart + j).mul(factor).intoArray(y, yStart + j);
            }
            for (; j < n; j++) {
                y[yStart + j] = x[xStart + j] * alpha;
            }
        }
    }

    static void silu(Tensor x, Tensor y) {
        float[] in = x.array();
        float[] out = y.array();
        int n = y.size();
        int j = 0;
        for (; j <= n - V; j += V) {
            FloatVector v = FloatVector.fromArray(LANES, in, x.offset() + j);
            v.mul(VectorMath.sigmoid(v)).intoArray(out, y.offset() + j);
        }
        if (j < n) {
            VectorMask<Float> mask = Lanes.tail(j, n);
            FloatVector v = FloatVector.fromArray(LANES, in, x.offset() + j, mask);
            v.mul(VectorMath.sigmoid(v)).intoArray(out, y.offset() + j, mask);
        }
    }

    static void siluBackward(Tensor x, Tensor dy, Tensor dx, boolean accumulate) {
        float[] in = x.array();
        float[] gradient = dy.array();
        float[] out = dx.array();
        int n = dx.size();
        for (int j = 0; j < n; j += V) {
            VectorMask<Float> mask = Lanes.tail(j, n);
            FloatVector v = FloatVector.fromArray(LANES, in, x.offset() + j, mask);
            FloatVector g = FloatVector.fromArray(LANES, gradient, dy.offset() + j, mask);
            FloatVector result = g.mul(VectorMath.siluSlope(v));
            if (accumulate) {
                result = result.add(FloatVector.fromArray(LANES, out, dx.offset() + j, mask));
            }
            result.intoArray(out, dx.offset() + j, mask);
        }
    }

    static void relu(Tensor x, Tensor y) {
        float[] in = x.array();
        float[] out = y.array();
        int n = y.size();
        int j = 0;
        for (; j <= n - V; j += V) {
            FloatVector.fromArray(LANES, in, x.offset() + j).max(0f).intoArray(out, y.offset() + j);
        }
        for (; j < n; j++) {
            out[y.offset() + j] = Math.max(in[x.offset() + j], 0f);
        }
    }

    static void reluBackward(Tensor x, Tensor dy, Tensor dx, boolean accumulate) {
        float[] in = x.array();
        float[] gradient = dy.array();
        float[] out = dx.array();
        FloatVector zero = FloatVector.zero(LANES);
        int n = dx.size();
        int j = 0;
        for (; j <= n - V; j += V) {
            VectorMask<Float> passes =
                    FloatVector.fromArray(LANES, in, x.offset() + j).compare(VectorOperators.GT, zero);
            FloatVector result = zero.blend(FloatVector.fromArray(LANES, gradient, dy.offset() + j), passes);
            if (accumulate) {
                result = result.add(FloatVector.fromArray(LANES, out, dx.offset() + j));
            }
            result.intoArray(out, dx.offset() + j);
        }
        for (; j < n; j++) {
            float result = in[x.offset() + j] > 0f ? gradient[dy.offset() + j] : 0f;
            out[dx.offset() + j] = accumulate ? out[dx.offset() + j] + result : result;
        }
    }

    static void leakyRelu(Tensor x, float slope, Tensor y) {
        float[] in = x.array();
        float[] out = y.array();
        int n = y.size();
        for (int j = 0; j < n; j += V) {
            VectorMask<Float> mask = Lanes.tail(j, n);
            FloatVector v = FloatVector.fromArray(LANES, in, x.offset() + j, mask);
            v.mul(slope).blend(v, v.compare(VectorOperators.GT, 0f)).intoArray(out, y.offset() + j, mask);
        }
    }

    static void leakyReluBackward(Tensor x, float slope, Tensor dy, Tensor dx, boolean accumulate) {
        float[] in = x.array();
        float[] gradient = dy.array();
        float[] out = dx.array();
        int n = dx.size();
        for (int j = 0; j < n; j += V) {
            VectorMask<Float> mask = Lanes.tail(j, n);
            FloatVector v = FloatVector.fromArray(LANES, in, x.offset() + j, mask);
            FloatVector g = FloatVector.fromArray(LANES, gradient, dy.offset() + j, mask);
            put(g.mul(slope).blend(g, v.compare(VectorOperators.GT, 0f)), out, dx.offset() + j, mask, accumulate);
        }
    }

    static void tanh(Tensor x, Tensor y) {
        float[] in = x.array();
        float[] out = y.array();
        int n = y.size();
        for (int j = 0; j < n; j += V) {
            VectorMask<Float> mask = Lanes.tail(j, n);
            VectorMath.tanh(FloatVector.fromArray(LANES, in, x.offset() + j, mask))
                    .intoArray(out, y.offset() + j, mask);
        }
    }

    static void tanhBackward(Tensor y, Tensor dy, Tensor dx, boolean accumulate) {
        float[] in = y.array();
        float[] gradient = dy.array();
        float[] out = dx.array();
        FloatVector one = FloatVector.broadcast(LANES, 1f);
        int n = dx.size();
        for (int j = 0; j < n; j += V) {
            VectorMask<Float> mask = Lanes.tail(j, n);
            FloatVector v = FloatVector.fromArray(LANES, in, y.offset() + j, mask);
            FloatVector g = FloatVector.fromArray(LANES, gradient, dy.offset() + j, mask);
            put(g.mul(v.neg().fma(v, one)), out, dx.offset() + j, mask, accumulate);
        }
    }

    static void geglu(Tensor x, Tensor y) {
        int width = y.dim(-1);
        for (int row = 0; row < y.size() / width; row++) {
            gateRow(x.array(), x.offset() + 2 * row * width, width, y.array(), y.offset() + row * width);
        }
    }

    private static void gateRow(float[] x, int from, int width, float[] y, int to) {
        for (int c = 0; c < width; c += V) {
            VectorMask<Float> mask = Lanes.tail(c, width);
            FloatVector value = FloatVector.fromArray(LANES, x, from + c, mask);
            FloatVector gate = FloatVector.fromArray(LANES, x, from + width + c, mask);
            value.mul(gate.mul(VectorMath.normal(gate, VectorMath.bell(gate)))).intoArray(y, to + c, mask);
        }
    }

    static void gegluBackward(Tensor x, Tensor dy, Tensor dx, boolean accumulate) {
        int width = dy.dim(-1);
        for (int row = 0; row < dy.size() / width; row++) {
            int at = 2 * row * width;
            int gradient = dy.offset() + row * width;
            gateRowBackward(
                    x.array(), x.offset() + at, width, dy.array(), gradient, dx.array(), dx.offset() + at, accumulate);
        }
    }

    private static void gateRowBackward(
            float[] x, int from, int width, float[] dy, int dyStart, float[] dx, int to, boolean accumulate) {
        for (int c = 0; c < width; c += V) {
            VectorMask<Float> mask = Lanes.tail(c, width);
            FloatVector value = FloatVector.fromArray(LANES, x, from + c, mask);
            FloatVector gate = FloatVector.fromArray(LANES, x, from + width + c, mask);
            FloatVector gradient = FloatVector.fromArray(LANES, dy, dyStart + c, mask);
            FloatVector bell = VectorMath.bell(gate);
            FloatVector normal = VectorMath.normal(gate, bell);
            FloatVector slope = gate.mul(bell.mul(VectorMath.DENSITY)).add(normal);
            FloatVector valueGradient = gradient.mul(gate.mul(normal));
            FloatVector gateGradient = gradient.mul(value).mul(slope);
            // Not by put: after so much arithmetic the compiler inlines no more than the Vector API itself.
            if (accumulate) {
                FloatVector.fromArray(LANES, dx, to + c, mask)
                        .add(valueGradient)
                        .intoArray(dx, to + c, mask);
                FloatVector.fromArray(LANES, dx, to + width + c, mask)
                        .add(gateGradient)
                        .intoArray(dx, to + width + c, mask);
            } else {
                valueGradient.intoArray(dx, to + c, mask);
                gateGradient.intoArray(dx, to + width + c, mask);
            }
        }
    }

    /** Stores or adds. Two stores rather than one variable: the compiler boxes a vector that two branches assign. */
    static void put(FloatVector value, float[] y, int at, VectorMask<Float> mask, boolean accumulate) {
        if (accumulate) {
            value.add(FloatVector.fromArray(LANES, y, at, mask)).intoArray(y, at, mask);
        } else {
            value.intoArray(y, at, mask);
        }
    }

    static void addPerSample(Tensor x, Tensor v, Tensor y) {
        int channels = v.dim(-1);
        int batch = v.size() / channels;
        int tokens = x.size() / v.size();
        for (int sample = 0; sample < batch; sample++) {
            for (int t = 0; t < tokens; t++) {
                int row = (sample * tokens + t) * channels;
                add(
                        x.array(),
                        x.offset() + row,
                        v.array(),
                        v.offset() + sample * channels,
                        y.array(),
                        y.offset() + row,
                        channels);
            }
        }
    }

    static void sumTokens(Tensor x, float alpha, Tensor y, boolean accumulate) {
        int channels = y.dim(-1);
        int batch = y.size() / channels;
        int tokens = x.size() / y.size();
        for (int sample = 0; sample < batch; sample++) {
            int from = x.offset() + sample * tokens * channels;
            int to = y.offset() + sample * channels;
            sumRows(x.array(), from, tokens, channels, alpha, y.array(), to, accumulate);
        }
    }

    /**
     * y[c] = α·Σ_t x[t, c], or y += …. Four interleaved partial sums per channel, added pairwise: shorter chains, so less
     * rounding error and no wait for the adder.
     */
    static void sumRows(
            float[] x, int start, int tokens, int channels, float alpha, float[] y, int yStart, boolean accumulate) {
        for (int c = 0; c < channels; c += V) {
            VectorMask<Float> mask = Lanes.tail(c, channels);
            FloatVector result =
                    columnSums(x, start + c, tokens, channels, mask).mul(alpha);
            if (accumulate) {
                result = result.add(FloatVector.fromArray(LANES, y, yStart + c, mask));
            }
            result.intoArray(y, yStart + c, mask);
        }
    }

    /** Whether no element is NaN or infinite. */
    static boolean allFinite(float[] x, int start, int n) {
        return allFinite(x, start, n, 1f);
    }

    /** Whether no element times {@code scale} is NaN or infinite: times 0 those are NaN, and all others ±0. */
    static boolean allFinite(float[] x, int start, int n, float scale) {
        FloatVector zero = FloatVector.zero(LANES);
        FloatVector spoiled = zero;
        // Four sums, since one would wait for itself longer than for the memory.
        FloatVector second = zero;
        FloatVector third = zero;
        FloatVector fourth = zero;
        int j = 0;
        for (; j <= n - 4 * V; j += 4 * V) {
            spoiled = FloatVector.fromArray(LANES, x, start + j).mul(scale).fma(zero, spoiled);
            second = FloatVector.fromArray(LANES, x, start + j + V).mul(scale).fma(zero, second);
            third = FloatVector.fromArray(LANES, x, start + j + 2 * V)
                    .mul(scale)
                    .fma(zero, third);
            fourth = FloatVector.fromArray(LANES, x, start + j + 3 * V)
                    .mul(scale)
                    .fma(zero, fourth);
        }
        for (; j <= n - V; j += V) {
            spoiled = FloatVector.fromArray(LANES, x, start + j).mul(scale).fma(zero, spoiled);
        }
        float sum = spoiled.add(second).add(third.add(fourth)).reduceLanes(VectorOperators.ADD);
        for (; j < n; j++) {
            sum += x[start + j] * scale * 0f;
        }
        return sum == 0f;
    }

    private static FloatVector columnSums(float[] x, int start, int tokens, int stride, VectorMask<Float> mask) {
        FloatVector sum0 = FloatVector.zero(LANES);
        FloatVector sum1 = sum0;
        FloatVector sum2 = sum0;
        FloatVector sum3 = sum0;
        int at = start;
        int t = 0;
        for (; t <= tokens - 4; t += 4) {
            sum0 = sum0.add(FloatVector.fromArray(LANES, x, at, mask));
            sum1 = sum1.add(FloatVector.fromArray(LANES, x, at + stride, mask));
            sum2 = sum2.add(FloatVector.fromArray(LANES, x, at + 2 * stride, mask));
            sum3 = sum3.add(FloatVector.fromArray(LANES, x, at + 3 * stride, mask));
            at += 4 * stride;
        }
        for (; t < tokens; t++) {
            sum0 = sum0.add(FloatVector.fromArray(LANES, x, at, mask));
            at += stride;
        }
        return sum0.add(sum1).add(sum2.add(sum3));
    }

    static void broadcastTokens(Tensor dy, float alpha, Tensor dx, boolean accumulate) {
        int channels = dy.dim(-1);
        int batch = dy.size() / channels;
        int tokens = dx.size() / dy.size();
        for (int sample = 0; sample < batch; sample++) {
            for (int t = 0; t < tokens; t++) {
                int to = dx.offset() + (sample * tokens + t) * channels;
                scale(dy.array(), dy.offset() + sample * channels, alpha, dx.array(), to, channels, accumulate);
            }
        }
    }

    static void concatChannels(Tensor a, Tensor b, Tensor y) {
        int left = a.dim(-1);
        int right = b.dim(-1);
        int rows = y.size() / (left + right);
        for (int row = 0; row < rows; row++) {
            int to = y.offset() + row * (left + right);
            System.arraycopy(a.array(), a.offset() + row * left, y.array(), to, left);
            System.arraycopy(b.array(), b.offset() + row * right, y.array(), to + left, right);
        }
    }

    static void sliceChannels(Tensor x, int from, Tensor y, boolean accumulate) {
        int channels = x.dim(-1);
        int kept = y.dim(-1);
        int rows = y.size() / kept;
        for (int row = 0; row < rows; row++) {
            int source = x.offset() + row * channels + from;
            int to = y.offset() + row * kept;
            if (accumulate) {
                add(x.array(), source, y.array(), to, y.array(), to, kept);
            } else {
                System.arraycopy(x.array(), source, y.array(), to, kept);
            }
        }
    }

    static void upsample2x(Tensor x, int height, int width, Tensor y) {
        int channels = x.dim(-1);
        int rows = x.size() / (width * channels);
        int doubled = 2 * width * channels;
        for (int row = 0; row < rows; row++) {
            int to = y.offset() + 2 * row * doubled;
            for (int column = 0; column < width; column++) {
                int from = x.offset() + (row * width + column) * channels;
                System.arraycopy(x.array(), from, y.array(), to + 2 * column * channels, channels);
                System.arraycopy(x.array(), from, y.array(), to + (2 * column + 1) * channels, channels);
            }
            System.arraycopy(y.array(), to, y.array(), to + doubled, doubled);
        }
    }

    static void upsample2xBackward(Tensor dy, int height, int width, Tensor dx, boolean accumulate) {
        int channels = dx.dim(-1);
        int rows = dx.size() / (width * channels);
        int doubled = 2 * width * channels;
        float[] in = dy.array();
        float[] out = dx.array();
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < width; column++) {
                int from = dy.offset() + 2 * row * doubled + 2 * column * channels;
                int to = dx.offset() + (row * width + column) * channels;
                addFour(in, from, channels, doubled, out, to, accumulate);
            }
        }
    }

    /** Sum of a 2×2 block of pixels, {@code below} floats from one row to the next. */
    private static void addFour(
            float[] in, int from, int channels, int below, float[] out, int to, boolean accumulate) {
        int c = 0;
        for (; c <= channels - V; c += V) {
            FloatVector top = FloatVector.fromArray(LANES, in, from + c)
                    .add(FloatVector.fromArray(LANES, in, from + channels + c));
            FloatVector bottom = FloatVector.fromArray(LANES, in, from + below + c)
                    .add(FloatVector.fromArray(LANES, in, from + below + channels + c));
            FloatVector sum = top.add(bottom);
            if (accumulate) {
                sum = sum.add(FloatVector.fromArray(LANES, out, to + c));
            }
            sum.intoArray(out, to + c);
        }
        for (; c < channels; c++) {
            float sum =
                    (in[from + c] + in[from + channels + c]) + (in[from + below + c] + in[from + below + channels + c]);
            out[to + c] = accumulate ? sum + out[to + c] : sum;
        }
    }
}
