package org.sapwood.tensor.simd;

import static org.sapwood.tensor.simd.Lanes.PANEL;
import static org.sapwood.tensor.simd.Lanes.V;

import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.Tensor;

/** Matrix products and linear layers. */
final class SimdBlas {
    private final RowGemm rowGemm;
    private final ColumnGemm columnGemm;
    private final PackedGemm packedGemm = new PackedGemm();
    private float[] packed = new float[0];

    SimdBlas(RowGemm rowGemm, ColumnGemm columnGemm) {
        this.rowGemm = rowGemm;
        this.columnGemm = columnGemm;
    }

    @SuppressWarnings("ReferenceEquality") // asks whether the operand was repacked
    void matmul(Tensor a, boolean transposeA, Tensor b, boolean transposeB, float alpha, Tensor c, boolean accumulate) {
        int m = c.dim(0);
        int n = c.dim(1);
        int k = a.dim(transposeA ? 0 : 1);
        if (PackedGemm.pays(m, n, k)) {
            packedGemm.multiply(
                    a.array(),
                    a.offset(),
                    transposeA,
                    b.array(),
                    b.offset(),
                    transposeB,
                    alpha,
                    m,
                    n,
                    k,
                    c.array(),
                    c.offset(),
                    accumulate);
            return;
        }
        float[] right = b.array();
        int bStart = b.offset();
        int ldb = b.dim(1);
        int panelStep = PANEL;
        if (transposeB || alpha != 1f || (!transposeA && n % V != 0)) {
            packed = Lanes.grow(packed, Panels.size(k, n));
            if (transposeB) {
                Panels.packTransposed(right, bStart, ldb, k, n, alpha, packed, 0, k * PANEL);
            } else {
                Panels.pack(right, bStart, ldb, k, n, alpha, packed, 0);
            }
            right = packed;
            bStart = 0;
            ldb = PANEL;
            panelStep = k * PANEL;
        }
        if (!transposeA) {
            rowGemm.setUniformRows(m, a.offset(), k, c.offset(), n);
            if (accumulate) {
                rowGemm.add(a.array(), 0, k, right, bStart, ldb, panelStep, n, c.array());
            } else {
                rowGemm.begin(a.array(), 0, k, right, bStart, ldb, panelStep, n, rowGemm.zeroStart(n), c.array());
            }
            return;
        }
        for (int column = 0, panel = bStart; column < n; column += PANEL, panel += panelStep) {
            int width = right == packed ? Math.min(PANEL, n - column) : n;
            columnGemm
                    .left(a.array(), a.offset(), m, 0)
                    .right(right, panel, ldb, 0)
                    .over(1, k);
            columnGemm.multiply(m, width, c.array(), c.offset() + column, n, accumulate);
            if (width == n) {
                return;
            }
        }
    }

    void linear(Tensor x, Tensor weight, @Nullable Tensor bias, Tensor y) {
        int in = weight.dim(1);
        int out = weight.dim(0);
        rowGemm.setUniformRows(y.size() / out, x.offset(), in, y.offset(), out);
        float[] start =
                bias == null ? rowGemm.zeroStart(out) : rowGemm.startRow(bias.array(), bias.offset(), out, true);
        float[] panels = packWeight(weight, 1f);
        rowGemm.begin(x.array(), 0, in, panels, 0, PANEL, in * PANEL, out, start, y.array());
    }

    /** y += α·x·Wᵀ. */
    void addLinear(Tensor x, Tensor weight, float alpha, Tensor y) {
        int in = weight.dim(1);
        int out = weight.dim(0);
        rowGemm.setUniformRows(y.size() / out, x.offset(), in, y.offset(), out);
        rowGemm.add(x.array(), 0, in, packWeight(weight, alpha), 0, PANEL, in * PANEL, out, y.array());
    }

    void linearBackwardInput(Tensor dy, Tensor weight, float alpha, Tensor dx, boolean accumulate) {
        int in = weight.dim(1);
        int out = weight.dim(0);
        float[] right = weight.array();
        int bStart = weight.offset();
        int ldb = in;
        int panelStep = PANEL;
        if (in % V != 0 || alpha != 1f) {
            packed = Lanes.grow(packed, Panels.size(out, in));
            Panels.pack(right, bStart, ldb, out, in, alpha, packed, 0);
            right = packed;
            bStart = 0;
            ldb = PANEL;
            panelStep = out * PANEL;
        }
        rowGemm.setUniformRows(dx.size() / in, dy.offset(), out, dx.offset(), in);
        if (accumulate) {
            rowGemm.add(dy.array(), 0, out, right, bStart, ldb, panelStep, in, dx.array());
        } else {
            rowGemm.begin(dy.array(), 0, out, right, bStart, ldb, panelStep, in, rowGemm.zeroStart(in), dx.array());
        }
    }

    /** α·Wᵀ in panels, for a weight [out, in]. */
    private float[] packWeight(Tensor weight, float alpha) {
        int in = weight.dim(1);
        int out = weight.dim(0);
        packed = Lanes.grow(packed, Panels.size(in, out));
        Panels.packTransposed(weight.array(), weight.offset(), in, in, out, alpha, packed, 0, in * PANEL);
        return packed;
    }
}
