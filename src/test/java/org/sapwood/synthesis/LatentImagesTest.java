package org.sapwood.synthesis;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import org.apache.commons.rng.simple.RandomSource;
import org.junit.jupiter.api.Test;
import org.sapwood.data.Glyphs;
import org.sapwood.data.ImageSet;
import org.sapwood.diffusion.DpmSolver;
import org.sapwood.diffusion.NoiseSchedule;
import org.sapwood.diffusion.SamplingOptions;
import org.sapwood.io.UserException;
import org.sapwood.nn.Autoencoder;
import org.sapwood.nn.AutoencoderConfig;
import org.sapwood.nn.UNet;
import org.sapwood.nn.UNetConfig;
import org.sapwood.tensor.BackendChoice;
import org.sapwood.tensor.Backends;

/** Latents as a per-example function of the images, and back. */
class LatentImagesTest {
    private static final int IMAGES = 37;
    private static final int REPLACED = 20;
    private static final ImageSet GLYPHS = Glyphs.generate(Glyphs.Half.PUBLIC, IMAGES, 1);
    private static final Autoencoder MODEL = TinyAutoencoders.random(TinyAutoencoders.CONFIG.withScalingFactor(3), 4);
    private static final BackendChoice BACKEND = Backends.choose();

    private static LatentImages encode(ImageSet images, int threads) {
        LatentImages latents = LatentImages.of("the autoencoder", MODEL, new PixelImages(images), Augmentation.NONE);
        latents.prepare(BACKEND, threads);
        return latents;
    }

    /**
     * What privacy rests on: to replace or leave out an image changes the latent of that image and no bit of any other,
     * wherever batches begin.
     */
    @Test
    void eachLatentDependsOnItsOwnImageAlone() {
        float[] all = encode(GLYPHS, 1).values();
        int length = TinyAutoencoders.CONFIG.latentLength();

        int[] indices = new int[IMAGES];
        Arrays.setAll(indices, i -> i == REPLACED ? 0 : i);
        float[] replaced = encode(GLYPHS.select(indices), 1).values();
        for (int i = 0; i < IMAGES; i++) {
            float[] before = latent(all, i, length);
            float[] after = latent(replaced, i, length);
            if (i == REPLACED) {
                assertFalse(Arrays.equals(before, after), "the latent of the replaced image has changed");
            } else {
                assertArrayEquals(before, after, "image " + i);
            }
        }

        float[] without = encode(GLYPHS.subset(1, IMAGES), 1).values();
        assertArrayEquals(Arrays.copyOfRange(all, length, all.length), without, "after the first image was removed");
    }

    private static float[] latent(float[] latents, int index, int length) {
        return Arrays.copyOfRange(latents, index * length, (index + 1) * length);
    }

    @Test
    void latentsAndImagesAreTheSameForAnyNumberOfThreads() {
        LatentImages one = encode(GLYPHS, 1);
        LatentImages three = encode(GLYPHS, 3);
        assertArrayEquals(one.values(), three.values());
        float[] decoded = new LatentCodec(MODEL, BACKEND, 1).decode(one.values());
        assertArrayEquals(decoded, new LatentCodec(MODEL, BACKEND, 3).decode(one.values()));
        assertEquals(IMAGES * GLYPHS.imageLength(), decoded.length);
    }

    @Test
    void theScalingFactorMultipliesLatentsAndIsTakenBackBeforeTheyAreDecoded() {
        Autoencoder unscaled = TinyAutoencoders.random(TinyAutoencoders.CONFIG, 4);
        float[] plain = new LatentCodec(unscaled, BACKEND, 1).encode(new PixelImages(GLYPHS));
        LatentImages scaled = encode(GLYPHS, 1);
        for (int i = 0; i < plain.length; i++) {
            assertEquals(3 * plain[i], scaled.values()[i], 1e-6f * Math.abs(plain[i]) + 1e-9f);
        }
        float[] fromPlain = new LatentCodec(unscaled, BACKEND, 1).decode(plain);
        float[] fromScaled = new LatentCodec(MODEL, BACKEND, 1).decode(scaled.values());
        assertArrayEquals(fromPlain, fromScaled, 1e-5f);
    }

    @Test
    void aSetOfLatentsKeepsTheLabelsAndTellsItsShape() {
        LatentImages latents = encode(GLYPHS, 2);
        assertEquals(
                List.of(IMAGES, 14, 14, 2, GLYPHS.classCount(), 14 * 14 * 2),
                List.of(
                        latents.size(),
                        latents.height(),
                        latents.width(),
                        latents.channels(),
                        latents.classCount(),
                        latents.imageLength()));
        float[] copy = new float[latents.imageLength() + 1];
        latents.copyImage(5, copy, 1);
        assertArrayEquals(latent(latents.values(), 5, latents.imageLength()), Arrays.copyOfRange(copy, 1, copy.length));
        for (int i = 0; i < IMAGES; i++) {
            assertEquals(GLYPHS.label(i), latents.label(i));
        }
    }

    @Test
    void changesOfPixelsAreRefusedWithTheAlternative() {
        UserException refusal = assertThrows(
                UserException.class,
                () -> LatentImages.of("the autoencoder", MODEL, new PixelImages(GLYPHS), new Augmentation(2, false)));
        assertTrue(refusal.getMessage().contains("--shift and --flip"), refusal.getMessage());
        assertTrue(refusal.getMessage().contains("augment the images themselves before"), refusal.getMessage());
    }

    @Test
    void imagesOfAnotherSizeAreRefused() {
        Autoencoder other = TinyAutoencoders.random(new AutoencoderConfig(32, 3, List.of(4, 4), 1, 2, 2, false, 1), 1);
        UserException refusal = assertThrows(
                UserException.class,
                () -> LatentImages.of("the autoencoder vae", other, new PixelImages(GLYPHS), Augmentation.NONE));
        assertTrue(
                refusal.getMessage().contains("the autoencoder vae is for images of 32x32x3, the data has 28x28x1"),
                refusal.getMessage());
    }

    /** Latents have no bounds; to hold them to those of pixels would change the images. */
    @Test
    void drawnLatentsAreNotClippedAndImagesAre() {
        UNetConfig config = new UNetConfig(
                14,
                2,
                2,
                List.of(4, 4),
                1,
                List.of(false, false),
                List.of(false, false),
                false,
                0,
                2,
                1e-5f,
                3,
                true,
                0,
                1);
        UNet unet = new UNet(config);
        unet.initialize(RandomSource.XO_SHI_RO_256_PP.create(7L));
        LatentGenerator generator = new LatentGenerator(unet, NoiseSchedule.named("linear"), MODEL);
        assertEquals(2, generator.classes());
        assertEquals(28, generator.imageSize());
        assertEquals(1, generator.channels());
        SamplingOptions clipped = new SamplingOptions(new DpmSolver(), 3, 1, true, 4, 1, 9);
        SamplingOptions free = new SamplingOptions(new DpmSolver(), 3, 1, false, 2, 2, 9);
        int[] labels = {0, 1, 1};
        float[] images = generator.draw(labels, clipped, BACKEND, done -> {});
        assertArrayEquals(generator.draw(labels, free, BACKEND, done -> {}), images);
        assertEquals(3 * 28 * 28, images.length);
        for (float value : images) {
            assertTrue(value >= -1 && value <= 1, "a pixel of " + value);
        }
    }
}
