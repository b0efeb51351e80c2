package org.sapwood.synthesis.dpaf;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.simple.RandomSource;
import org.sapwood.data.ImageSet;
import org.sapwood.data.ImageSource;
import org.sapwood.data.ReadOptions;
import org.sapwood.nn.GanConfig;

/** GANs and image sets small enough for a test. */
final class TinyGans {
    static final int EDGE = 8;

    private TinyGans() {}

    /** Grey 8×8 images of three classes; m = 5 features on maps of edge p = 2. */
    static GanConfig config() {
        return new GanConfig(EDGE, 1, 3, 4, 16, 6, 5, 4);
    }

    static DpafOptions options(int steps, int conv2Every, OptionalLong seed) {
        return new DpafOptions(
                glyphs(60),
                8,
                OptionalDouble.empty(),
                20,
                steps,
                conv2Every,
                30,
                0.3,
                0.1,
                1e-2,
                2,
                2,
                2e-3,
                1e-3,
                1,
                0.9,
                4,
                16,
                4,
                4,
                4,
                seed);
    }

    /** Built-in digits. */
    static ImageSource glyphs(int count) {
        return new ImageSource(
                List.of("glyphs:sensitive:" + count + ":3"),
                new ReadOptions(
                        OptionalInt.empty(),
                        false,
                        ReadOptions.Channels.AS_STORED,
                        ReadOptions.Subset.ALL,
                        Optional.empty()));
    }

    /** Noise images, as many of each class. */
    static ImageSet noise(int perClass, long seed) {
        UniformRandomProvider rng = RandomSource.XO_SHI_RO_256_PP.create(seed);
        List<byte[]> images = new ArrayList<>();
        for (int i = 0; i < 3 * perClass; i++) {
            byte[] image = new byte[EDGE * EDGE];
            rng.nextBytes(image);
            images.add(image);
        }
        return set(images);
    }

    /** Images that strain a normalisation: constant ones, single pixels, steps, stripes, the two extremes side by side. */
    static ImageSet adversarial() {
        List<byte[]> images = new ArrayList<>();
        for (int level : new int[] {0, 1, 127, 128, 254, 255}) {
            byte[] constant = new byte[EDGE * EDGE];
            Arrays.fill(constant, (byte) level);
            images.add(constant);
        }
        for (int at : new int[] {0, 7, 27, 63}) {
            byte[] pixel = new byte[EDGE * EDGE];
            pixel[at] = (byte) 255;
            images.add(pixel);
            byte[] faint = new byte[EDGE * EDGE];
            faint[at] = 1;
            images.add(faint);
        }
        for (int period = 1; period <= 4; period++) {
            byte[] stripes = new byte[EDGE * EDGE];
            for (int i = 0; i < stripes.length; i++) {
                stripes[i] = (byte) (i / period % 2 == 0 ? 255 : 0);
            }
            images.add(stripes);
        }
        return set(images);
    }

    /** Labels go round the three classes. */
    static ImageSet set(List<byte[]> images) {
        byte[] pixels = new byte[images.size() * EDGE * EDGE];
        int[] labels = new int[images.size()];
        for (int i = 0; i < labels.length; i++) {
            System.arraycopy(images.get(i), 0, pixels, i * EDGE * EDGE, EDGE * EDGE);
            labels[i] = i % 3;
        }
        return ImageSet.of(EDGE, EDGE, 1, pixels, labels, List.of("a", "b", "c"));
    }
}
