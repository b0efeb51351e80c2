package org.sapwood.tensor.cuda;

import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.Tensor;

/** Low-rank adaptation: launches {@code kernels/lora.cu}. */
final class CudaLora {
    /** Rows of a block. */
    private static final int ROWS = 32;

    /** Ranks that a thread takes at a time. */
    private static final int RANKS = 4;

    private static final int THREADS = 128;

    private CudaLora() {}

    static void lora(CudaStream stream, Tensor x, Tensor a, Tensor b, float scale, Tensor xa, Tensor y) {
        int in = x.dim(-1);
        int rank = xa.dim(-1);
        stream.kernel("lora", "lora_down_up")
                .tensor(x)
                .i32(xa.size() / rank)
                .i32(in)
                .tensor(a)
                .i32(1)
                .i32(in)
                .i32(rank)
                .f32(1)
                .tensor(xa)
                .tensor(b)
                .i32(1)
                .i32(rank)
                .i32(y.dim(-1))
                .f32(scale)
                .tensor(y)
                .grid(blocks(xa), 1, 1, THREADS, sharedBytes(rank));
    }

    static void loraBackwardInput(
            CudaStream stream, Tensor dy, Tensor a, Tensor b, float scale, Tensor dyb, @Nullable Tensor dx) {
        int out = dy.dim(-1);
        int rank = dyb.dim(-1);
        int in = a.dim(-1);
        stream.kernel("lora", "lora_down_up")
                .tensor(dy)
                .i32(dyb.size() / rank)
                .i32(out)
                .tensor(b)
                .i32(rank)
                .i32(1)
                .i32(rank)
                .f32(scale)
                .tensor(dyb)
                .tensor(a)
                .i32(in)
                .i32(1)
                .i32(in)
                .f32(1)
                .tensor(dx)
                .grid(blocks(dyb), 1, 1, THREADS, sharedBytes(rank));
    }

    private static int blocks(Tensor low) {
        return Math.ceilDiv(low.size() / low.dim(-1), ROWS);
    }

    private static int sharedBytes(int rank) {
        return ROWS * Math.ceilDiv(rank, RANKS) * RANKS * Float.BYTES;
    }
}
