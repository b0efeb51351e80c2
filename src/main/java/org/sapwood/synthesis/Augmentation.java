package org.sapwood.synthesis;

import java.util.Map;
import org.apache.commons.rng.UniformRandomProvider;

/**
 * Random changes of an image that keep its class: a shift by whole pixels with background filled in, and a mirror image.
 *
 * @param maxShift pixels in either direction, ≥ 0
 * @param flip whether to mirror left and right with probability ½; wrong for digits and letters
 */
public record Augmentation(int maxShift, boolean flip) {
    /** Leaves images alone. */
    public static final Augmentation NONE = new Augmentation(0, false);

    /** Value of the pixels shifted in: black, on the scale [-1, 1]. */
    private static final float BACKGROUND = -1f;

    public Augmentation {
        if (maxShift < 0) {
            throw new IllegalArgumentException("maxShift must be >= 0, got " + maxShift);
        }
    }

    /** As JSON for {@code run.json}. */
    Map<String, Object> toJson() {
        return Map.of("maxShift", maxShift, "flip", flip);
    }

    /** The augmentation that {@link #toJson} wrote. */
    static Augmentation fromJson(Map<?, ?> json) {
        int maxShift = json.get("maxShift") instanceof Number n ? n.intValue() : 0;
        return new Augmentation(maxShift, Boolean.TRUE.equals(json.get("flip")));
    }

    /** Whether {@link #apply} would change anything. */
    public boolean isIdentity() {
        return maxShift == 0 && !flip;
    }

    /** Writes a changed copy of {@code source} [height·width, channels] to {@code target}. */
    void apply(float[] source, float[] target, int height, int width, int channels, UniformRandomProvider rng) {
        int dy = maxShift == 0 ? 0 : rng.nextInt(-maxShift, maxShift + 1);
        int dx = maxShift == 0 ? 0 : rng.nextInt(-maxShift, maxShift + 1);
        boolean mirror = flip && rng.nextBoolean();
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int fromY = y + dy;
                int fromX = (mirror ? width - 1 - x : x) + dx;
                boolean inside = fromY >= 0 && fromY < height && fromX >= 0 && fromX < width;
                for (int c = 0; c < channels; c++) {
                    target[(y * width + x) * channels + c] =
                            inside ? source[(fromY * width + fromX) * channels + c] : BACKGROUND;
                }
            }
        }
    }
}
