package org.sapwood.tensor.simd;

/**
 * The points of Winograd's convolution F(m, 3) with m = 1 to 4 outputs (Winograd 1980; Lavin and Gray 2016). With m + 2
 * inputs d, a filter g of 3 taps and its outputs y, y = Aᵀ[(G g) ⊙ (Bᵀ d)] takes m + 2 multiplications where the definition
 * takes 3m. It is bilinear, so that its transposes give both gradients: that of g is Gᵀ[(Bᵀ d) ⊙ (A dy)]. Applied along the
 * rows and the columns of an image it takes 36 instead of 144 for 4×4 outputs.
 *
 * <p>The maps follow from where polynomials are evaluated: 0, 5/8, ∞, −5/8, 3/2 and −3/2, of which m outputs need the first
 * m + 2. The usual 0, ±1, ±2 would save nothing here, where a factor comes free with an addition, and double the error
 * (Barabasz et al. 2020). A filter is mapped ({@link WinogradFilters}) once for all m: what the factors of its points lack
 * where there are fewer of them, {@link WinogradInputs} makes good.
 *
 * <p>Each map takes {@code count} neighbouring columns at once, a multiple of V: value i of a column is {@code stride} after
 * value i − 1, result i is {@code step} after result i − 1.
 */
final class WinogradPoints {
    static final float P = 0.625f;
    static final float Q = 1.5f;
    static final float P2 = P * P;
    static final float Q2 = Q * Q;
    static final float P3 = P2 * P;
    static final float Q3 = Q2 * Q;
    static final float P2Q2 = P2 * Q2;

    /** Reciprocals of Π(pᵢ − pⱼ) for the points 0, ±P and ±Q. */
    static final float N0 = 1 / P2Q2;

    static final float NP = 1 / (2 * P2 * (P2 - Q2));
    static final float NQ = 1 / (2 * Q2 * (Q2 - P2));

    private WinogradPoints() {}

    /** How many points so many outputs need, 1 to 4. */
    static int points(int outputs) {
        return outputs + 2;
    }

    /** How many outputs so many points give. */
    static int outputs(int points) {
        return points - 2;
    }

    /** Points of all tiles along an edge of so many outputs. */
    static int along(int outputs) {
        int rest = outputs % WinogradConvolution.OUTPUTS;
        return outputs / WinogradConvolution.OUTPUTS * WinogradConvolution.EDGE + (rest == 0 ? 0 : points(rest));
    }
}
