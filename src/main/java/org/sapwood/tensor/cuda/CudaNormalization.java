package org.sapwood.tensor.cuda;

import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.GradientRows;
import org.sapwood.tensor.Tensor;

/**
 * Launches {@code kernels/normalization.cu}; the ops and their arguments are those of
 * {@link org.sapwood.tensor.Backend}.
 */
final class CudaNormalization {
    /** 32 bytes of each token: narrower slices would read sectors twice. */
    private static final int SECTOR_CHANNELS = 8;

    /** Up to this, of one tensor, wider slices are better than more blocks... */
    private static final int SLICE_BYTES = 16 << 10;

    /** ...and up to this width. */
    private static final int MOST_CHANNELS = 256;

    /** What a block may keep if six are to fit on a multiprocessor: while one waits, others compute. */
    private static final int SIX_BLOCKS_BYTES = 32 << 10;

    /** The same for three. */
    private static final int THREE_BLOCKS_BYTES = 68 << 10;

    /** The same for two. */
    private static final int TWO_BLOCKS_BYTES = 106 << 10;

    private static final int MOST_THREADS = 512;

    private CudaNormalization() {}

    static void groupNorm(
            CudaStream stream,
            Tensor x,
            Tensor gamma,
            Tensor beta,
            int groups,
            float epsilon,
            boolean silu,
            Tensor statistics,
            Tensor y) {
        Slices slices = Slices.of(stream, x, groups, 1);
        String kernel = slices.isKept() ? "normalization_forward" : "normalization_forward_streaming";
        slices.describe(stream.kernel("normalization", kernel), x, gamma, beta, groups)
                .f32(epsilon)
                .flag(silu)
                .tensor(statistics)
                .tensor(y)
                .grid(slices.blocks(x), 1, 1, slices.threads, slices.sharedBytes(1));
    }

    static void groupNormBackwardInput(
            CudaStream stream,
            Tensor x,
            Tensor gamma,
            Tensor beta,
            int groups,
            boolean silu,
            Tensor statistics,
            Tensor dy,
            Tensor dx,
            boolean accumulate) {
        Sums none = new Sums(0, 0, false);
        backward(stream, x, gamma, beta, groups, silu, statistics, dy, dx, accumulate, none, none);
    }

    /**
     * {@link #groupNormParameterGradient} and {@link #groupNormBackwardInput} in one, which reads x and dy once instead
     * of twice.
     */
    static void groupNormBackward(
            CudaStream stream,
            Tensor x,
            Tensor gamma,
            Tensor beta,
            int groups,
            boolean silu,
            Tensor statistics,
            Tensor dy,
            Tensor dx,
            boolean accumulate,
            @Nullable GradientRows gammaTarget,
            @Nullable GradientRows betaTarget) {
        long scratch = Sums.scratch(stream, x, gammaTarget, betaTarget);
        Sums gammaSums = Sums.of(stream, x, gammaTarget, scratch);
        Sums betaSums = Sums.of(stream, x, betaTarget, scratch + Sums.bytes(x));
        backward(stream, x, gamma, beta, groups, silu, statistics, dy, dx, accumulate, gammaSums, betaSums);
        gammaSums.finish(stream, x, gammaTarget);
        betaSums.finish(stream, x, betaTarget);
    }

    private static void backward(
            CudaStream stream,
            Tensor x,
            Tensor gamma,
            Tensor beta,
            int groups,
            boolean silu,
            Tensor statistics,
            Tensor dy,
            Tensor dx,
            boolean accumulate,
            Sums gammaSums,
            Sums betaSums) {
        Slices slices = Slices.of(stream, x, groups, 2);
        String kernel = slices.isKept() ? "normalization_backward" : "normalization_backward_streaming";
        Launch launch = slices.describe(stream.kernel("normalization", kernel), x, gamma, beta, groups)
                .flag(silu)
                .tensor(statistics)
                .tensor(dy)
                .tensor(dx)
                .flag(accumulate);
        betaSums.describe(gammaSums.describe(launch))
                .grid(slices.blocks(x), 1, 1, slices.threads, slices.sharedBytes(2));
    }

    static void groupNormParameterGradient(
            CudaStream stream,
            Tensor x,
            Tensor gamma,
            Tensor beta,
            int groups,
            boolean silu,
            Tensor statistics,
            Tensor dy,
            @Nullable GradientRows gammaTarget,
            @Nullable GradientRows betaTarget) {
        if (gammaTarget == null && betaTarget == null) {
            return;
        }
        long scratch = Sums.scratch(stream, x, gammaTarget, betaTarget);
        Sums gammaSums = Sums.of(stream, x, gammaTarget, scratch);
        Sums betaSums = Sums.of(stream, x, betaTarget, scratch + Sums.bytes(x));
        int channels = x.dim(-1);
        int quads = Math.min(32, CudaReduce.quads(channels));
        int slices = Math.ceilDiv(channels, 4 * quads);
        Launch launch = stream.kernel("normalization", "normalization_parameter_gradient")
                .tensor(x)
                .tensor(gamma)
                .tensor(beta)
                .i32(x.shape().rowSize() / channels)
                .i32(channels)
                .i32(groups)
                .i32(slices)
                .i32(quads)
                .flag(silu)
                .tensor(statistics)
                .tensor(dy);
        betaSums.describe(gammaSums.describe(launch)).blocks(Math.multiplyExact(x.dim(0), slices), 256);
        gammaSums.finish(stream, x, gammaTarget);
        betaSums.finish(stream, x, betaTarget);
    }

    /**
     * Where a kernel puts the gradients of single samples: straight into their rows where each has its own, otherwise
     * into scratch memory, from which {@link #finish} adds them to the rows.
     */
    private record Sums(long address, long stride, boolean accumulate) {
        static Sums of(CudaStream stream, Tensor x, @Nullable GradientRows target, long scratch) {
            if (target == null) {
                return new Sums(0, 0, false);
            }
            if (target.samplesPerRow() == 1) {
                return new Sums(
                        CudaReduce.firstCoordinate(stream, target),
                        target.matrix().dim(1),
                        target.accumulate());
            }
            return new Sums(scratch, x.dim(-1), false);
        }

        /** Scratch memory for the gradients of both parameters, if one of them wants it. */
        static long scratch(CudaStream stream, Tensor x, @Nullable GradientRows gamma, @Nullable GradientRows beta) {
            boolean wanted = (gamma != null && gamma.samplesPerRow() > 1) || (beta != null && beta.samplesPerRow() > 1);
            return wanted ? stream.workspace(2 * bytes(x)) : 0;
        }

        /** Of one parameter's gradients, [B, C]. */
        static long bytes(Tensor x) {
            return (long) x.dim(0) * x.dim(-1) * Float.BYTES;
        }

        Launch describe(Launch launch) {
            return launch.address(address).i64(stride).flag(accumulate);
        }

        void finish(CudaStream stream, Tensor x, @Nullable GradientRows target) {
            if (target != null && target.samplesPerRow() > 1) {
                CudaReduce.sumSamples(stream, address, x.dim(0), x.dim(-1), target);
            }
        }
    }

    /**
     * How the channels are cut into slices, one block for each slice of each sample. Depends on the sizes of a sample
     * and on the device, never on the batch.
     *
     * @param width channels per slice, a multiple of those per group, or all there are
     * @param count slices per sample
     * @param quads columns of threads per slice, each for four channels, rounded up to a power of two
     * @param threads per block
     * @param keptBytes of a block's slice of all tensors in shared memory; 0 if it does not fit
     */
    private record Slices(int width, int count, int quads, int threads, long keptBytes) {
        /**
         * What was fastest on an H200; {@code kernels/normalization.cu} has the figures.
         *
         * @param tensors how many there are to keep: x alone, or x and dy
         */
        static Slices of(CudaStream stream, Tensor x, int groups, int tensors) {
            int channels = x.dim(-1);
            int tokens = x.shape().rowSize() / channels;
            int width = width(tokens, channels, channels / groups, tensors);
            int quads = CudaReduce.quads(width);
            if (quads > MOST_THREADS) {
                throw new IllegalArgumentException(
                        "a group may have up to " + 4 * MOST_THREADS + " channels, got " + width + "; use more groups");
            }
            long bytes = tensors * bytes(tokens, width);
            boolean kept = bytes <= mostBytes(stream.device().computeCapability());
            int threads = Math.max(quads, threads(bytes));
            return new Slices(width, Math.ceilDiv(channels, width), quads, threads, kept ? bytes : 0);
        }

        /** What a block may keep at most; sums and the like come on top. */
        private static int mostBytes(int capability) {
            if (capability == 80) {
                return 140 << 10;
            }
            return capability >= 90 && capability < 110 ? 204 << 10 : 78 << 10;
        }

        /** A group, doubled as long as that pays, or all channels. */
        private static int width(int tokens, int channels, int groupWidth, int tensors) {
            int width = groupWidth;
            while (width < channels) {
                int wider = Math.min(2 * width, channels);
                long bytes = bytes(tokens, wider);
                boolean pays = width < SECTOR_CHANNELS
                        || (wider <= MOST_CHANNELS && bytes <= SLICE_BYTES)
                        || (width < 2 * SECTOR_CHANNELS && tensors * bytes <= THREE_BLOCKS_BYTES);
                if (!pays) {
                    break;
                }
                width = wider;
            }
            return width;
        }

        /** The fewer blocks find room on a multiprocessor, the more threads they need. */
        private static int threads(long bytes) {
            if (bytes <= SIX_BLOCKS_BYTES) {
                return 128;
            }
            return bytes <= TWO_BLOCKS_BYTES ? 256 : MOST_THREADS;
        }

        /** A slice of one tensor. */
        private static long bytes(int tokens, int width) {
            return (long) tokens * Math.ceilDiv(width, 4) * 16;
        }

        boolean isKept() {
            return keptBytes > 0;
        }

        Launch describe(Launch launch, Tensor x, Tensor gamma, Tensor beta, int groups) {
            int channels = x.dim(-1);
            int tokens = x.shape().rowSize() / channels;
            return launch.tensor(x)
                    .tensor(gamma)
                    .tensor(beta)
                    .i32(tokens)
                    .i32(channels)
                    .i32(groups)
                    .i32(width)
                    .i32(count)
                    .i32(quads)
                    .f64(1.0 / ((long) tokens * (channels / groups)));
        }

        int blocks(Tensor x) {
            return Math.multiplyExact(x.dim(0), count);
        }

        /** For what is kept and {@code sets} sets of parts of column sums. */
        int sharedBytes(int sets) {
            int parts = threads / Math.max(quads, 32);
            return Math.toIntExact(keptBytes) + sets * parts * quads * 16;
        }
    }
}
