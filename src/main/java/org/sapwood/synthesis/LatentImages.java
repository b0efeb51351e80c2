package org.sapwood.synthesis;

import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.sapwood.data.ImageSet;
import org.sapwood.io.UserException;
import org.sapwood.nn.Autoencoder;
import org.sapwood.nn.AutoencoderConfig;
import org.sapwood.nn.AutoencoderFolder;
import org.sapwood.tensor.BackendChoice;

/**
 * The latents of labelled images in memory, made by a frozen autoencoder: the means of their Gaussians times the scaling
 * factor. Each latent is a function of its own image and of public weights alone, so what is private about a set of
 * images is the same about the set of their latents: one example more or less there is one more or less here.
 */
public final class LatentImages implements TrainingImages {
    private final TrainingImages images;
    private final Autoencoder autoencoder;
    private float @Nullable [] latents;

    private LatentImages(TrainingImages images, Autoencoder autoencoder) {
        this.images = images;
        this.autoencoder = autoencoder;
    }

    /**
     * What a model is trained on: the images, or their latents if it works on those of an autoencoder.
     *
     * @param autoencoder whose latents they are; empty for a model of pixels
     * @param augmentation of the training
     * @throws UserException if the images do not fit the autoencoder
     */
    static TrainingImages orPixels(
            ImageSet images, Optional<AutoencoderFolder> autoencoder, Augmentation augmentation) {
        TrainingImages pixels = new PixelImages(images);
        return autoencoder.isEmpty()
                ? pixels
                : of(
                        "the autoencoder " + autoencoder.get().path(),
                        autoencoder.get().load(),
                        pixels,
                        augmentation);
    }

    /**
     * The latents of images, to be made by {@link #prepare}.
     *
     * @param name how a message calls the autoencoder
     * @param augmentation that the training asked for; must be none
     * @throws UserException if the images are not of the autoencoder's size, or are to be augmented
     */
    public static LatentImages of(
            String name, Autoencoder autoencoder, TrainingImages images, Augmentation augmentation) {
        requireFit(name, autoencoder.config(), images);
        if (!augmentation.isIdentity()) {
            throw new UserException(
                    "--shift and --flip change pixels, but a latent model is trained on latents that are"
                            + " made of the images once; leave them out, or augment the images themselves before");
        }
        return new LatentImages(images, autoencoder);
    }

    @Override
    public void prepare(BackendChoice backend, int threads) {
        if (latents == null) {
            latents = new LatentCodec(autoencoder, backend, threads).encode(images);
        }
    }

    /** Refuses images that are not of the size that an autoencoder was made for. */
    static void requireFit(String name, AutoencoderConfig config, TrainingImages images) {
        PublicModel.requireFit(name, config.sampleSize(), config.channels(), images);
    }

    /** All latents, [size, latentSize², latentChannels]; the live array. */
    float[] values() {
        return Objects.requireNonNull(latents, "latents must be prepared first");
    }

    /** Standard deviation of all values of all latents around their common mean. */
    double standardDeviation() {
        float[] values = values();
        double mean = 0;
        for (float value : values) {
            mean += value;
        }
        mean /= values.length;
        double squares = 0;
        for (float value : values) {
            squares += (value - mean) * (value - mean);
        }
        return Math.sqrt(squares / values.length);
    }

    @Override
    public int size() {
        return images.size();
    }

    @Override
    public int height() {
        return autoencoder.config().latentSize();
    }

    @Override
    public int width() {
        return autoencoder.config().latentSize();
    }

    @Override
    public int channels() {
        return autoencoder.config().latentChannels();
    }

    @Override
    public int label(int index) {
        return images.label(index);
    }

    @Override
    public int classCount() {
        return images.classCount();
    }

    @Override
    public void copyImage(int index, float[] target, int at) {
        int length = imageLength();
        System.arraycopy(values(), index * length, target, at, length);
    }
}
