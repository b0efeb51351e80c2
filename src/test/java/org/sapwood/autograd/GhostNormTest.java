package org.sapwood.autograd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.ConvGeometry;
import org.sapwood.tensor.GradientRows;
import org.sapwood.tensor.Tensor;
import org.sapwood.tensor.scalar.ScalarBackend;

/** Norms from Gram matrices are those of the gradients, or are refused. */
@Tag("no-vector")
class GhostNormTest {
    private final Backend backend = new ScalarBackend();

    @AfterEach
    void close() {
        backend.close();
    }

    private double ghost(Tensor x, Tensor dy, float alpha, @Nullable ConvGeometry geometry) {
        int tokens = dy.size() / dy.dim(-1);
        int windowed = geometry == null ? 0 : tokens * geometry.weightSize() / geometry.outChannels();
        return new GhostNorm(backend, new Arena(backend), tokens, windowed).squared(x, dy, alpha, geometry);
    }

    private double exact(Tensor x, Tensor dy, float alpha, @Nullable ConvGeometry geometry) {
        int size = geometry == null ? x.dim(-1) * dy.dim(-1) : geometry.weightSize();
        Tensor row = Tensor.zeros(1, size);
        GradientRows target = new GradientRows(row, 0, x.dim(0), false);
        if (geometry == null) {
            backend.weightGradient(x, dy, alpha, target);
        } else {
            backend.convWeightGradient(x, dy, geometry, target);
        }
        double[] norm = new double[1];
        backend.squaredNorms(row, 0, size, norm);
        return norm[0];
    }

    private static Tensor normals(long seed, int... extents) {
        Tensor tensor = Tensor.zeros(extents);
        System.arraycopy(SmallNet.normals(tensor.size(), seed), 0, tensor.array(), 0, tensor.size());
        return tensor;
    }

    @Test
    void linearLayers() {
        int[][] sizes = {{1, 1, 5, 3}, {1, 7, 13, 4}, {3, 5, 6, 9}, {2, 1, 1, 1}};
        for (int[] s : sizes) {
            Tensor x = normals(1, s[0], s[1], s[2]);
            Tensor dy = normals(2, s[0], s[1], s[3]);
            double exact = exact(x, dy, -0.5f, null);
            assertEquals(exact, ghost(x, dy, -0.5f, null), 1e-4 * exact, "samples, T, p, d: " + Arrays.toString(s));
        }
    }

    @Test
    void convolutions() {
        ConvGeometry[] geometries = {
            ConvGeometry.same(3, 5, 4, 6, 3),
            ConvGeometry.same(4, 3, 5, 2, 1),
            new ConvGeometry(6, 4, 3, 2, 3, 2, 1, 1),
            new ConvGeometry(6, 6, 2, 3, 3, 2, 0, 1),
            new ConvGeometry(5, 7, 1, 2, 5, 3, 2, 1),
        };
        for (ConvGeometry geometry : geometries) {
            for (int samples = 1; samples <= 2; samples++) {
                Tensor x = normals(3, samples, geometry.inTokens(), geometry.inChannels());
                Tensor dy = normals(4, samples, geometry.outTokens(), geometry.outChannels());
                double exact = exact(x, dy, 1, geometry);
                assertEquals(exact, ghost(x, dy, 1, geometry), 1e-4 * exact, geometry + ", samples " + samples);
            }
        }
    }

    /** A margin makes up for the floats: ordinary gradients are over-read. */
    @Test
    void ordinaryGradientsAreNotUnderRead() {
        for (int seed = 0; seed < 200; seed++) {
            Tensor x = normals(10 + seed, 1, 6, 40);
            Tensor dy = normals(500 + seed, 1, 6, 30);
            double exact = exact(x, dy, 1, null);
            double ghost = ghost(x, dy, 1, null);
            assertTrue(ghost >= exact && ghost <= exact * 1.0001, "seed " + seed + ": " + ghost + " for " + exact);
        }
    }

    /** Tokens that cancel leave nothing but rounding errors in a Gram matrix. */
    @Test
    void cancellingTokensAreRefused() {
        Tensor x = normals(5, 1, 2, 64);
        System.arraycopy(x.array(), 0, x.array(), 64, 64);
        Tensor dy = normals(6, 1, 2, 16);
        for (int o = 0; o < 16; o++) {
            dy.array()[16 + o] = -dy.array()[o] * (1 + 1e-3f);
        }
        assertTrue(Double.isNaN(ghost(x, dy, 1, null)), "got " + ghost(x, dy, 1, null));
        // The very same tokens without cancellation are not.
        for (int o = 0; o < 16; o++) {
            dy.array()[16 + o] = dy.array()[o];
        }
        assertTrue(ghost(x, dy, 1, null) > 0);
    }

    /** Products that leave the floats could be finite here and infinite in the gradient, or the other way round. */
    @Test
    void whatMayOverflowOrUnderflowIsRefused() {
        Tensor dy = normals(8, 1, 3, 4);
        for (float size : new float[] {1e-35f, 1e30f, Float.POSITIVE_INFINITY, Float.NaN}) {
            Tensor x = normals(7, 1, 3, 4);
            for (int i = 0; i < x.size(); i++) {
                x.array()[i] *= size;
            }
            assertTrue(Double.isNaN(ghost(x, dy, 1, null)), "at " + size + ": " + ghost(x, dy, 1, null));
        }
        Tensor zero = Tensor.zeros(1, 3, 4);
        assertTrue(Double.isNaN(ghost(zero, dy, 1, null)));
    }
}
