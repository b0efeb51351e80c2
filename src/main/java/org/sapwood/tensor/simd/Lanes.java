package org.sapwood.tensor.simd;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;

/** The vector shape of this JVM and what follows from it. */
final class Lanes {
    /** The widest float vectors the processor offers; a constant, or the compiler cannot keep vectors in registers. */
    static final VectorSpecies<Float> LANES = FloatVector.SPECIES_PREFERRED;

    /** Floats per vector: 16 with AVX-512, 8 with AVX2, 4 with NEON. */
    static final int V = LANES.length();

    /** Columns of a full tile, two vectors. */
    static final int PANEL = 2 * V;

    /**
     * Rows of the main tile. AVX2 has only 16 vector registers, which 4×2 accumulators and their operands fill well;
     * AVX-512 and NEON have 32.
     */
    static final int TILE_ROWS = V == 8 ? 4 : 12;

    /** Most rows of any tile: row tables are padded by this much. */
    static final int MAX_TILE_ROWS = 12;

    private Lanes() {}

    /** The lanes of a last, partial vector. */
    static VectorMask<Float> tail(int from, int to) {
        return LANES.indexInRange(from, to);
    }

    /** Rows of the tile to take next where {@code rows} are left, a multiple of 4. */
    static int tileHeight(int rows) {
        if (TILE_ROWS == 12 && rows >= 8) {
            // 16 as 8 + 8: four rows alone are bound by loads.
            return rows >= 12 && rows != 16 ? 12 : 8;
        }
        return 4;
    }

    /** {@code n} rounded up to full vectors. */
    static int roundToVector(int n) {
        return (n + V - 1) / V * V;
    }

    /** {@code n} rounded up to full panels. */
    static int roundToPanel(int n) {
        return (n + PANEL - 1) / PANEL * PANEL;
    }

    /** {@code buffer} if it holds {@code size} floats, else a new one; contents are not kept. */
    static float[] grow(float[] buffer, int size) {
        return buffer.length >= size ? buffer : new float[size + size / 4];
    }

    /** {@code table} if it holds {@code size} entries, else a longer copy. */
    static int[] grow(int[] table, int size) {
        return table.length >= size ? table : Arrays.copyOf(table, size + size / 4);
    }

    /**
     * Sum of all lanes, halving: a fixed order. {@code reduceLanes(ADD)} takes another order in the interpreter than in
     * compiled code, so its bits change while a program warms up.
     *
     * @param scratch holds the V lanes, and is overwritten; shuffles of a vector would allocate, and so would a vector
     *     passed to a method that the compiler finds no room to inline
     */
    static float sum(float[] scratch) {
        for (int half = V / 2; half > 0; half /= 2) {
            for (int i = 0; i < half; i++) {
                scratch[i] += scratch[i + half];
            }
        }
        return scratch[0];
    }

    /**
     * Maximum of all lanes; NaN if any is.
     *
     * @param lanes holds the V lanes
     */
    static float max(float[] lanes) {
        float max = lanes[0];
        for (int i = 1; i < V; i++) {
            max = Math.max(max, lanes[i]);
        }
        return max;
    }
}
