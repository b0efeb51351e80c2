package org.sapwood.data;

import java.util.List;
import java.util.stream.IntStream;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.simple.RandomSource;

/**
 * The built-in set: characters written by a procedural hand, 28×28 grey, white strokes on black, so that everything can
 * be tried without any data. No font and no file is involved. The {@link Half#PUBLIC} half holds letters, for
 * pretraining; the {@link Half#SENSITIVE} half holds digits and plays the private set.
 *
 * <p>Image i of a half depends on (half, seed, i) and on nothing else: each has its own counter range of a Philox4x32
 * stream keyed by the seed. So a longer set begins with the shorter one, and the order and number of threads do not
 * matter. The class of image i is i modulo the number of classes.
 */
public final class Glyphs {
    /** Edge of every image in pixels. */
    public static final int SIZE = 28;

    /** Which characters. */
    public enum Half {
        /** 32 letters. */
        PUBLIC(1, GlyphAlphabets.LETTERS),
        /** The 10 digits. */
        SENSITIVE(2, GlyphAlphabets.DIGITS);

        /** Keeps the random numbers of the halves apart. */
        private final int stream;

        private final List<GlyphShape> shapes;

        Half(int stream, List<GlyphShape> shapes) {
            this.stream = stream;
            this.shapes = shapes;
        }

        /**
         * The classes in the order of their index.
         *
         * @return one name per class
         */
        public List<String> classNames() {
            return shapes.stream().map(GlyphShape::name).toList();
        }
    }

    private Glyphs() {}

    /**
     * Writes a set.
     *
     * @param half letters or digits
     * @param count number of images, at least 0
     * @param seed which set; different seeds give unrelated sets
     * @return the set, [count, 28, 28, 1]
     */
    public static ImageSet generate(Half half, int count, long seed) {
        int length = SIZE * SIZE;
        byte[] pixels = new byte[Math.multiplyExact(count, length)];
        IntStream.range(0, count).parallel().forEach(i -> {
            byte[] image = image(half, i, seed);
            System.arraycopy(image, 0, pixels, i * length, length);
        });
        int[] labels =
                IntStream.range(0, count).map(i -> i % half.shapes.size()).toArray();
        return ImageSet.owning(SIZE, SIZE, 1, pixels, labels, half.classNames());
    }

    private static byte[] image(Half half, int index, long seed) {
        // Philox: two words of key, then the counter's four from low to high. The low two count within the image.
        int[] state = {(int) seed, (int) (seed >>> Integer.SIZE), 0, 0, index, half.stream};
        UniformRandomProvider random = RandomSource.PHILOX_4X32.create(state);
        GlyphShape shape = half.shapes.get(index % half.shapes.size());
        return new Handwriting(random).write(shape, SIZE);
    }
}
