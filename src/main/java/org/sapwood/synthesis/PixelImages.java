package org.sapwood.synthesis;

import org.sapwood.data.ImageSet;

/**
 * The images themselves, on the scale [−1, 1].
 *
 * @param images as read
 */
public record PixelImages(ImageSet images) implements TrainingImages {
    @Override
    public int size() {
        return images.size();
    }

    @Override
    public int height() {
        return images.height();
    }

    @Override
    public int width() {
        return images.width();
    }

    @Override
    public int channels() {
        return images.channels();
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
        images.copyImage(index, target, at);
    }
}
