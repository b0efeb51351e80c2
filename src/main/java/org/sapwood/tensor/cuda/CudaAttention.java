package org.sapwood.tensor.cuda;

import org.sapwood.tensor.Tensor;

/**
 * Launches {@code kernels/attention.cu}; the ops and their arguments are those of {@link org.sapwood.tensor.Backend}. In
 * TF32 and BF16 the products run on tensor cores for heads up to 64 wide, in fp32 for wider ones.
 */
final class CudaAttention {
    /** Values of a row that one lane holds, in fp32. */
    private static final int SHARE = 16;

    /** Rows that a warp owns on tensor cores. */
    private static final int FRAGMENT_ROWS = 16;

    /** The widest heads for which there are kernels for tensor cores. */
    private static final int WIDEST_ON_TENSOR_CORES = 64;

    /** Rows that are taken at a time there. */
    private static final int CHUNK = 32;

    /** Keys that the forward kernels keep if there is no room for all of them. */
    private static final int FORWARD_TILE = 64;

    /** What they may need to keep all. */
    private static final int FORWARD_BYTES = 76 << 10;

    /** Queries between two barriers of the kernel for all gradients. */
    private static final int WHOLE_ROUND = 128;

    private CudaAttention() {}

    static void attention(CudaStream stream, Tensor q, Tensor k, Tensor v, int heads, Tensor logSumExp, Tensor y) {
        Geometry geometry = new Geometry(stream.precision(), q, k, heads);
        Cut cut = geometry.cutForward();
        geometry.describe(
                        geometry.kernel(stream, "attention_forward")
                                .tensor(q)
                                .tensor(k)
                                .tensor(v),
                        cut)
                .tensor(logSumExp)
                .tensor(y)
                .grid(geometry.blocks(cut), 1, 1, cut.threads, geometry.forwardBytes());
    }

    static void attentionBackward(
            CudaStream stream,
            Tensor q,
            Tensor k,
            Tensor v,
            int heads,
            Tensor logSumExp,
            Tensor y,
            Tensor dy,
            Tensor dq,
            boolean accumulateQ,
            Tensor dk,
            boolean accumulateK,
            Tensor dv,
            boolean accumulateV) {
        Geometry geometry = new Geometry(stream.precision(), q, k, heads);
        if (geometry.isWhole(stream)) {
            geometry.kernel(stream, "attention_backward_whole")
                    .tensor(q)
                    .tensor(k)
                    .tensor(v)
                    .tensor(logSumExp)
                    .tensor(y)
                    .tensor(dy)
                    .i32(geometry.queries)
                    .i32(geometry.keys)
                    .i32(geometry.channels)
                    .i32(heads)
                    .f32(geometry.scale())
                    .tensor(dq)
                    .flag(accumulateQ)
                    .tensor(dk)
                    .flag(accumulateK)
                    .tensor(dv)
                    .flag(accumulateV)
                    .grid(
                            Math.multiplyExact(geometry.samples, heads),
                            1,
                            1,
                            Math.ceilDiv(geometry.keys, FRAGMENT_ROWS) * 32,
                            Math.toIntExact(geometry.wholeBytes()));
            return;
        }
        long delta = stream.workspace((long) logSumExp.size() * Float.BYTES);
        Cut queries = geometry.cutQueries();
        geometry.describe(
                        geometry.kernel(stream, "attention_backward_queries")
                                .tensor(q)
                                .tensor(k)
                                .tensor(v)
                                .tensor(logSumExp)
                                .tensor(y)
                                .tensor(dy),
                        queries)
                .address(delta)
                .tensor(dq)
                .flag(accumulateQ)
                .blocks(geometry.blocks(queries), queries.threads);
        Cut keys = geometry.cutKeys();
        geometry.describe(
                        geometry.kernel(stream, "attention_backward_keys")
                                .tensor(q)
                                .tensor(k)
                                .tensor(v)
                                .tensor(logSumExp)
                                .address(delta)
                                .tensor(dy),
                        keys)
                .tensor(dk)
                .flag(accumulateK)
                .tensor(dv)
                .flag(accumulateV)
                .blocks(geometry.blocks(keys), keys.threads);
    }

    /** How the rows of a head are cut into blocks. */
    private record Cut(int blocksPerHead, int threads) {
        static Cut of(int wantedThreads, int mostThreads) {
            int threads = Math.min(mostThreads, Math.ceilDiv(wantedThreads, 32) * 32);
            return new Cut(Math.ceilDiv(wantedThreads, threads), threads);
        }
    }

    /** The sizes of one call, and the kernels for them. */
    private static final class Geometry {
        private final Precision precision;
        private final int samples;
        private final int queries;
        private final int keys;
        private final int channels;
        private final int heads;
        private final int width;

        Geometry(Precision wanted, Tensor q, Tensor k, int heads) {
            this.samples = q.dim(0);
            this.channels = q.dim(-1);
            this.queries = q.shape().rowSize() / channels;
            this.keys = k.shape().rowSize() / channels;
            this.heads = heads;
            this.width = channels / heads;
            this.precision = width <= WIDEST_ON_TENSOR_CORES ? wanted : Precision.FP32;
            if (width > 32 * SHARE) {
                throw new IllegalArgumentException(
                        "attention heads may be up to " + 32 * SHARE + " wide, got " + width + "; use more heads");
            }
        }

        Launch kernel(CudaStream stream, String name) {
            return stream.kernel("attention", name + "_" + precision.suffix() + "_" + dims());
        }

        /** The width that the kernel is made for. */
        private int dims() {
            return SHARE * lanes();
        }

        float scale() {
            return (float) (1 / Math.sqrt(width));
        }

        /** Lanes per row in fp32: the width in shares, rounded up to a power of two. */
        private int lanes() {
            int shares = Math.ceilDiv(width, SHARE);
            return shares <= 1 ? 1 : 2 * Integer.highestOneBit(shares - 1);
        }

        /** For the kernels that own queries, in fp32 two per group of lanes. */
        Cut cutQueries() {
            return precision == Precision.FP32 ? Cut.of(Math.ceilDiv(queries, 2) * lanes(), 128) : fragments(queries);
        }

        /** For the kernels that own keys, in fp32 one per group of lanes. */
        Cut cutKeys() {
            return precision == Precision.FP32 ? Cut.of(keys * lanes(), 128) : fragments(keys);
        }

        /** As for queries; but where all keys of a head fit, one block loads them for all of its queries. */
        Cut cutForward() {
            Cut cut = cutQueries();
            return precision != Precision.FP32 && keys <= forwardRows() ? new Cut(1, cut.threads) : cut;
        }

        private static Cut fragments(int rows) {
            return Cut.of(Math.ceilDiv(rows, FRAGMENT_ROWS) * 32, 256);
        }

        private int forwardRowBytes() {
            return precision == Precision.BF16 ? (dims() + 8) * 2 : (dims() + 4) * Float.BYTES;
        }

        /** Up to how many keys the forward kernels for tensor cores keep at once; {@code rows_that_fit} over there. */
        private int forwardRows() {
            return Math.min(256, FORWARD_BYTES / (2 * forwardRowBytes()) / CHUNK * CHUNK);
        }

        /** Dynamic shared memory of the forward kernel. */
        int forwardBytes() {
            if (precision == Precision.FP32) {
                return 0;
            }
            int rows = keys <= forwardRows() ? Math.ceilDiv(keys, CHUNK) * CHUNK : FORWARD_TILE;
            return 2 * rows * forwardRowBytes();
        }

        /** Whether one kernel can compute all gradients. */
        boolean isWhole(CudaStream stream) {
            int capability = stream.device().computeCapability();
            int mostBytes = capability == 80 ? 160 << 10 : capability >= 90 && capability < 110 ? 224 << 10 : 96 << 10;
            return precision == Precision.BF16 && keys <= (dims() > 32 ? 128 : 256) && wholeBytes() <= mostBytes;
        }

        /** Dynamic shared memory of that kernel. */
        long wholeBytes() {
            long keyRows = (long) Math.ceilDiv(keys, CHUNK) * CHUNK;
            long queryRows = (long) Math.ceilDiv(queries, CHUNK) * CHUNK;
            long halves = (keyRows + 2 * queryRows) * (dims() + 8) + keyRows * (Math.min(queryRows, WHOLE_ROUND) + 8);
            return 2 * halves + 2 * queryRows * Float.BYTES;
        }

        int blocks(Cut cut) {
            return Math.multiplyExact(samples * heads, cut.blocksPerHead);
        }

        Launch describe(Launch launch, Cut cut) {
            return launch.i32(queries)
                    .i32(keys)
                    .i32(channels)
                    .i32(heads)
                    .i32(cut.blocksPerHead)
                    .f32(scale());
        }
    }
}
