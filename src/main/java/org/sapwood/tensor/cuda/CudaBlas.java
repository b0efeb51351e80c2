package org.sapwood.tensor.cuda;

import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.GradientRows;
import org.sapwood.tensor.Tensor;

/**
 * Matrix products: launches {@code kernels/gemm.cu}, or has cuBLAS compute them where that was asked for. Weight
 * gradients are always the project's own.
 */
final class CudaBlas {
    /** Up to so many columns, the narrow factor of a weight gradient is better the right one. */
    private static final int NARROW = 16;

    /**
     * From so many rows and columns of a product on, a pass over the factors that halves them pays; for warpgroups,
     * which need it, from such an extent of the weights on.
     */
    private static final int REUSED = 384;

    private CudaBlas() {}

    static void matmul(
            CudaStream stream,
            Tensor a,
            boolean transposeA,
            Tensor b,
            boolean transposeB,
            float alpha,
            Tensor c,
            boolean accumulate) {
        int m = c.dim(0);
        int n = c.dim(1);
        int k = a.dim(transposeA ? 0 : 1);
        Product product = new Product(m, n, k, alpha, null, accumulate, c);
        if (product.byCublas(stream, a, transposeA, b, transposeB)) {
            return;
        }
        if (transposeA && !transposeB) {
            Method method = Method.ofGradient(stream, m, n);
            Packing.Factor left = method.packing.matrix(a, k, m);
            Packing.Factor right = method.packing.matrix(b, k, n);
            GradientRows whole = new GradientRows(c.reshape(1, m * n), 0, 1, accumulate);
            tn(stream, method, left, right, m, n, k, 1, alpha, whole, false);
            return;
        }
        Method method = Method.ofRows(stream, m, n, k);
        Packing packing = method.packing;
        Packing.Factor left = transposeA ? packing.transposed(a, k, m) : packing.matrix(a, m, k);
        if (transposeB) {
            product.nt(stream, method, left, packing.matrix(b, n, k));
        } else {
            product.nn(stream, method, left, packing.matrix(b, k, n));
        }
    }

    static void linear(CudaStream stream, Tensor x, Tensor weight, @Nullable Tensor bias, Tensor y) {
        byTransposed(stream, x, weight, bias, y, false);
    }

    static void linearBackwardInput(CudaStream stream, Tensor dy, Tensor weight, Tensor dx, boolean accumulate) {
        byMatrix(stream, dy, weight, null, dx, accumulate);
    }

    static void weightGradient(CudaStream stream, Tensor x, Tensor dy, float alpha, GradientRows target) {
        int in = x.dim(-1);
        int out = dy.dim(-1);
        tokenProducts(stream, dy, out, x, in, x.dim(0), alpha, target);
    }

    /** y = x·Mᵀ + bias. x [R, K], matrix [N, K], y [R, N]. */
    static void byTransposed(
            CudaStream stream, Tensor x, Tensor matrix, @Nullable Tensor bias, Tensor y, boolean accumulate) {
        int k = x.dim(-1);
        int n = y.dim(-1);
        int rows = y.size() / n;
        Product product = new Product(rows, n, k, 1, bias, accumulate, y);
        if (product.byCublas(stream, x, false, matrix, true)) {
            return;
        }
        Method method = Method.ofRows(stream, rows, n, k);
        Packing.Factor left = method.packing.matrix(x, rows, k);
        Packing.Factor right = method.packing.matrix(matrix, n, k);
        product.nt(stream, method, left, right);
    }

    /** y = x·M + bias. x [R, K], matrix [K, N], y [R, N]. */
    static void byMatrix(
            CudaStream stream, Tensor x, Tensor matrix, @Nullable Tensor bias, Tensor y, boolean accumulate) {
        int k = x.dim(-1);
        int n = y.dim(-1);
        int rows = y.size() / n;
        Product product = new Product(rows, n, k, 1, bias, accumulate, y);
        if (product.byCublas(stream, x, false, matrix, false)) {
            return;
        }
        Method method = Method.ofRows(stream, rows, n, k);
        Packing.Factor left = method.packing.matrix(x, rows, k);
        Packing.Factor right = method.packing.matrix(matrix, k, n);
        product.nn(stream, method, left, right);
    }

    /**
     * The matrix α·Σ_t a[b, t]ᵀ·c[b, t] of each sample b, [m, n], to its row of gradients. a [B, T, m], c [B, T, n].
     */
    static void tokenProducts(
            CudaStream stream, Tensor a, int m, Tensor c, int n, int samples, float alpha, GradientRows target) {
        if (samples == 0) {
            return;
        }
        int tokens = a.size() / m;
        Method method = Method.ofGradient(stream, m, n);
        Packing.Factor left = method.packing.matrix(a, tokens, m);
        Packing.Factor right = method.packing.matrix(c, tokens, n);
        if (m <= NARROW && m < n) {
            tn(stream, method, right, left, n, m, tokens / samples, samples, alpha, target, true);
        } else {
            tn(stream, method, left, right, m, n, tokens / samples, samples, alpha, target, false);
        }
    }

    /**
     * How a product is computed.
     *
     * @param packing of its factors: rounded before the product if they are read many times, else within it, which
     *     makes no difference to the bits
     * @param byWarpgroups whether warpgroups multiply, whose bits may be others
     */
    private record Method(Packing packing, boolean byWarpgroups) {
        /**
         * For [m, k] x [k, n], the rows of which belong to samples: their number decides nothing that the bits depend
         * on.
         */
        static Method ofRows(CudaStream stream, int m, int n, int k) {
            boolean byWarpgroups = Math.min(n, k) >= REUSED && Tile.hasWarpgroups(stream);
            return of(stream, byWarpgroups || Math.min(m, n) >= REUSED, byWarpgroups);
        }

        /** For a sum over samples, [m, n]. */
        static Method ofGradient(CudaStream stream, int m, int n) {
            boolean reused = Math.min(m, n) >= REUSED;
            return of(stream, reused, reused && Tile.hasWarpgroups(stream));
        }

        private static Method of(CudaStream stream, boolean reused, boolean byWarpgroups) {
            return new Method(reused ? Packing.rounded(stream) : Packing.floats(stream), byWarpgroups);
        }

        Tile tile(CudaStream stream, int m, int n, long products) {
            return packing.elementBytes() == Float.BYTES
                    ? Tile.choose(stream.precision(), m, n, products)
                    : Tile.packed(byWarpgroups);
        }
    }

    /** Stores the product [m, n] of each unit, or its transpose. */
    private static void tn(
            CudaStream stream,
            Method method,
            Packing.Factor a,
            Packing.Factor b,
            int m,
            int n,
            int tokens,
            int samples,
            float alpha,
            GradientRows target,
            boolean transposed) {
        GradientUnits units = GradientUnits.plan(
                new GradientUnits.Gradient(samples, tokens, m, n, m * n),
                target,
                products -> method.tile(stream, m, n, products),
                method.packing);
        method.packing.run();
        Launch launch = stream.kernel("gemm", "gemm_tn_" + units.tile().name())
                .address(a.address())
                .i32(a.stride())
                .address(b.address())
                .i32(b.stride())
                .i32(m)
                .i32(n)
                .i32(tokens);
        units.divide(launch)
                .f32(alpha)
                .address(units.first(stream))
                .i64(units.stride())
                .i32(transposed ? 1 : n)
                .i32(transposed ? m : 1)
                .flag(units.accumulates());
        units.run(launch, stream);
    }

    /** C [m, n] = α·A·op(B) + bias with depth k. */
    private record Product(
            int m, int n, int k, float alpha, @Nullable Tensor bias, boolean accumulate, Tensor c) {
        /**
         * Has cuBLAS compute the product, if it shall; returns whether it did.
         *
         * @param a [m, k], or [k, m] if transposed
         * @param b [k, n], or [n, k] if transposed
         */
        boolean byCublas(CudaStream stream, Tensor a, boolean transposeA, Tensor b, boolean transposeB) {
            CublasProducts cublas = stream.cublas();
            if (cublas == null) {
                return false;
            }
            if (bias != null) {
                CudaElementwise.broadcastTokens(stream, bias.reshape(1, n), 1, c.reshape(1, m, n), accumulate);
            }
            cublas.product(
                    m,
                    n,
                    k,
                    alpha,
                    stream.address(a),
                    transposeA,
                    stream.address(b),
                    transposeB,
                    accumulate || bias != null ? 1 : 0,
                    stream.address(c));
            return true;
        }

        /** With a [m, k] and b [n, k]. */
        void nt(CudaStream stream, Method method, Packing.Factor a, Packing.Factor b) {
            Tile tile = method.tile(stream, m, n, 1);
            method.packing.run();
            stream.kernel("gemm", "gemm_nt_" + tile.name())
                    .address(a.address())
                    .address(b.address())
                    .i32(a.stride())
                    .i32(m)
                    .i32(n)
                    .f32(alpha)
                    .tensor(bias)
                    .flag(accumulate)
                    .tensor(c)
                    .grid(
                            tile.count(m, n),
                            1,
                            1,
                            tile.threads(),
                            tile.sharedBytes(Tile.Layout.DEEP, Tile.Layout.DEEP, method.packing.elementBytes()));
        }

        /** With a [m, k] and b [k, n]. */
        void nn(CudaStream stream, Method method, Packing.Factor a, Packing.Factor b) {
            Tile tile = method.tile(stream, m, n, 1);
            method.packing.run();
            stream.kernel("gemm", "gemm_nn_" + tile.name())
                    .address(a.address())
                    .i32(a.stride())
                    .address(b.address())
                    .i32(b.stride())
                    .i32(m)
                    .i32(n)
                    .i32(k)
                    .f32(alpha)
                    .tensor(bias)
                    .flag(accumulate)
                    .tensor(c)
                    .grid(
                            tile.count(m, n),
                            1,
                            1,
                            tile.threads(),
                            tile.sharedBytes(Tile.Layout.DEEP, Tile.Layout.WIDE, method.packing.elementBytes()));
        }
    }
}
