package org.sapwood.autograd;

import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.ConvGeometry;
import org.sapwood.tensor.Shape;
import org.sapwood.tensor.Tensor;

/**
 * The squared norm of a gradient that is not computed (Goodfellow 2015, arXiv 1510.01799; for sequences Li et al. 2022,
 * arXiv 2110.05679): ‖Σ_t dy_tᵀ·x_t‖² = Σ_{t,t'} (x_t·x_t')·(dy_t·dy_t'). A convolution's x_t are its windows.
 *
 * <p>The products are floats, and where tokens cancel their errors are all that is left of the sum. There, and where a
 * float may overflow or underflow, no answer is given. What is given is made larger by a margin for ordinary rounding;
 * that it bounds the gradient is nowhere relied upon ({@link BookKeepingSink}). The host only.
 */
final class GhostNorm {
    /** How much smaller than without any cancellation the sum may be. */
    private static final double CANCELLATION = 1.0 / 64;

    /** Relative error of the sum of squares that is made up for. */
    private static final double MARGIN = 0x1p-14;

    private static final double TINY = 1e-60;
    private static final double HUGE = 1e70;

    private final Backend backend;
    private final Tensor windows;
    private final Tensor ofInputs;
    private final Tensor ofOutputs;

    /**
     * @param tokens most rows that an example has
     * @param windowed most numbers that the windows of an example have, 0 if there is no convolution
     */
    GhostNorm(Backend backend, Arena arena, int tokens, int windowed) {
        this.backend = backend;
        windows = arena.allocate(windowed);
        ofInputs = arena.allocate(Math.multiplyExact(tokens, tokens));
        ofOutputs = arena.allocate(Math.multiplyExact(tokens, tokens));
    }

    /**
     * The squared norm of α·Σ_t dy_tᵀ·x_t over all samples.
     *
     * @param x [samples, T, in]
     * @param dy [samples, T', out]
     * @param geometry of a convolution, null for a linear layer
     * @return NaN if it must be found otherwise
     */
    double squared(Tensor x, Tensor dy, float alpha, @Nullable ConvGeometry geometry) {
        Tensor rows = geometry == null ? x : unfold(x, geometry);
        int tokens = dy.size() / dy.dim(-1);
        float[] inputs = gram(rows, tokens, ofInputs);
        float[] outputs = gram(dy, tokens, ofOutputs);
        double diagonal = 0;
        double beside = 0;
        double uncancelled = 0;
        for (int t = 0; t < tokens; t++) {
            int row = t * tokens;
            int in = ofInputs.offset() + row;
            int out = ofOutputs.offset() + row;
            for (int u = 0; u < t; u++) {
                beside += (double) inputs[in + u] * outputs[out + u];
            }
            double square = (double) inputs[in + t] * outputs[out + t];
            diagonal += square;
            uncancelled += Math.sqrt(square);
        }
        double largest = uncancelled * uncancelled * alpha * alpha;
        double squared = (diagonal + 2 * beside) * alpha * alpha;
        boolean reliable = largest > TINY && largest < HUGE && squared >= largest * CANCELLATION;
        return reliable ? squared * (1 + MARGIN) : Double.NaN;
    }

    /** rows·rowsᵀ. */
    private float[] gram(Tensor rows, int tokens, Tensor memory) {
        Tensor matrix = rows.reshape(tokens, rows.size() / tokens);
        Tensor product = new Tensor(Shape.of(tokens, tokens), memory.storage(), memory.offset());
        backend.matmul(matrix, false, matrix, true, 1f, product, false);
        return product.array();
    }

    /** The windows [samples · T', k·k·Cin] that a convolution multiplies with its weight. */
    private Tensor unfold(Tensor x, ConvGeometry geometry) {
        int channels = geometry.inChannels();
        int kernel = geometry.kernel();
        int width = kernel * kernel * channels;
        int rows = x.dim(0) * geometry.outTokens();
        Tensor unfolded = new Tensor(Shape.of(rows, width), windows.storage(), windows.offset());
        backend.fill(unfolded, 0f);
        int to = unfolded.offset();
        for (int row = 0; row < rows; row++) {
            int image = x.offset() + row / geometry.outTokens() * geometry.inTokens() * channels;
            int pixel = row % geometry.outTokens();
            int top = pixel / geometry.outWidth() * geometry.stride() - geometry.padLow();
            int left = pixel % geometry.outWidth() * geometry.stride() - geometry.padLow();
            for (int ky = 0; ky < kernel; ky++) {
                for (int kx = 0; kx < kernel; kx++) {
                    int y = top + ky;
                    int column = left + kx;
                    if (y >= 0 && y < geometry.height() && column >= 0 && column < geometry.width()) {
                        int from = image + (y * geometry.width() + column) * channels;
                        System.arraycopy(x.array(), from, unfolded.array(), to, channels);
                    }
                    to += channels;
                }
            }
        }
        return unfolded;
    }
}
