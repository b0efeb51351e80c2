package org.sapwood.evaluation;

import org.apache.commons.rng.UniformRandomProvider;

/**
 * Light augmentation: a random rotation within ±8°, scaling within ±8 % and shift within ±2 pixels, resampled
 * bilinearly. Pixels from outside repeat the edge. There are no flips: a mirrored digit is no digit.
 */
final class RandomAffine {
    private static final double MAX_ANGLE = Math.toRadians(8);
    private static final double MAX_SCALING = 0.08;
    private static final double MAX_SHIFT = 2;

    private final int height;
    private final int width;
    private final int channels;

    RandomAffine(int height, int width, int channels) {
        this.height = height;
        this.width = width;
        this.channels = channels;
    }

    /** Writes a random variation of {@code source} [height, width, channels] to {@code target[offset…]}. */
    void apply(float[] source, float[] target, int offset, UniformRandomProvider rng) {
        double angle = symmetric(rng) * MAX_ANGLE;
        double scale = 1 + symmetric(rng) * MAX_SCALING;
        float cos = (float) (Math.cos(angle) / scale);
        float sin = (float) (Math.sin(angle) / scale);
        float centreX = (width - 1) / 2f;
        float centreY = (height - 1) / 2f;
        float fromX = centreX + (float) (symmetric(rng) * MAX_SHIFT);
        float fromY = centreY + (float) (symmetric(rng) * MAX_SHIFT);
        int out = offset;
        for (int y = 0; y < height; y++) {
            float dy = y - centreY;
            for (int x = 0; x < width; x++) {
                float dx = x - centreX;
                sample(source, cos * dx + sin * dy + fromX, cos * dy - sin * dx + fromY, target, out);
                out += channels;
            }
        }
    }

    private static double symmetric(UniformRandomProvider rng) {
        return 2 * rng.nextDouble() - 1;
    }

    private void sample(float[] source, float x, float y, float[] target, int out) {
        float clampedX = Math.clamp(x, 0f, (float) (width - 1));
        float clampedY = Math.clamp(y, 0f, (float) (height - 1));
        int left = (int) clampedX;
        int top = (int) clampedY;
        int right = Math.min(left + 1, width - 1);
        int bottom = Math.min(top + 1, height - 1);
        float wx = clampedX - left;
        float wy = clampedY - top;
        for (int c = 0; c < channels; c++) {
            float a = source[(top * width + left) * channels + c];
            float b = source[(top * width + right) * channels + c];
            float d = source[(bottom * width + left) * channels + c];
            float e = source[(bottom * width + right) * channels + c];
            float upper = a + wx * (b - a);
            float lower = d + wx * (e - d);
            target[out + c] = upper + wy * (lower - upper);
        }
    }
}
