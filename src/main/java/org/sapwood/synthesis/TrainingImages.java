package org.sapwood.synthesis;

import org.sapwood.tensor.BackendChoice;

/** Labelled images as a denoising model sees them: pixels, or latents that a public autoencoder made of them. */
public interface TrainingImages {
    /** Number of images. */
    int size();

    /** Rows of an image. */
    int height();

    /** Columns of an image. */
    int width();

    /** Values per position. */
    int channels();

    /** The class of image {@code index}, in [0, {@link #classCount}). */
    int label(int index);

    /** Number of classes. */
    int classCount();

    /**
     * Makes the values, if they are still to be made; sizes and labels are known before. So a run that cannot start is
     * refused before this work.
     *
     * @param threads workers, ≥ 1; change the speed alone
     */
    default void prepare(BackendChoice backend, int threads) {}

    /** Copies the values of image {@code index}, [height·width, channels], to {@code target[at…]}. */
    void copyImage(int index, float[] target, int at);

    /** Values per image. */
    default int imageLength() {
        return height() * width() * channels();
    }
}
