package org.sapwood.evaluation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class InceptionFeaturesTest {
    /** As {@code torch.nn.functional.interpolate(x, size=(4, 4), mode="bilinear", align_corners=False)} of 2×2 grey. */
    @Test
    void enlargesWithHalfPixelCentres() {
        float[] target = new float[4 * 4 * 3];
        InceptionFeatures.resize(new float[] {0, 1, 2, 3}, 2, 2, 1, target, 4);
        float[] red = {0, 0.25f, 0.75f, 1, 0.5f, 0.75f, 1.25f, 1.5f, 1.5f, 1.75f, 2.25f, 2.5f, 2, 2.25f, 2.75f, 3};
        for (int i = 0; i < red.length; i++) {
            for (int c = 0; c < 3; c++) {
                assertEquals(red[i], target[3 * i + c], 1e-6, "pixel " + i + " channel " + c);
            }
        }
    }

    /** 3×1 to 2×2: rows at 0.25 and 1.75; no smoothing when an image shrinks, as in pytorch-fid. */
    @Test
    void shrinksBetweenTheTwoNeighboursOnly() {
        float[] target = new float[2 * 2 * 3];
        InceptionFeatures.resize(new float[] {0, 10, 20, 1, 11, 21, 3, 13, 23}, 3, 1, 3, target, 2);
        float[] expected = {0.25f, 10.25f, 20.25f, 0.25f, 10.25f, 20.25f, 2.5f, 12.5f, 22.5f, 2.5f, 12.5f, 22.5f};
        assertArrayEquals(expected, target, 1e-5f);
    }

    @Test
    void theSameSizeIsACopy() {
        float[] image = {0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f, 0.7f, 0.8f, 0.9f, 1, -0.1f, -0.2f};
        float[] target = new float[12];
        InceptionFeatures.resize(image, 2, 2, 3, target, 2);
        assertArrayEquals(image, target);
    }
}
