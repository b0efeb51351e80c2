package org.sapwood.evaluation;

/**
 * Feature vectors of a set of images.
 *
 * @param values row-major, [count, length]
 * @param count number of images
 * @param length F
 */
@SuppressWarnings("ArrayRecordComponent") // shared on purpose, never compared
public record Features(float[] values, int count, int length) {
    /** Squared Euclidean distance between row {@code i} of this and row {@code j} of {@code other}. */
    double squaredDistance(int i, Features other, int j) {
        int a = i * length;
        int b = j * length;
        double sum = 0;
        for (int k = 0; k < length; k++) {
            double difference = (double) values[a + k] - other.values[b + k];
            sum += difference * difference;
        }
        return sum;
    }

    /** The chosen rows, in the given order. */
    Features select(int[] rows) {
        float[] chosen = new float[rows.length * length];
        for (int i = 0; i < rows.length; i++) {
            System.arraycopy(values, rows[i] * length, chosen, i * length, length);
        }
        return new Features(chosen, rows.length, length);
    }
}
