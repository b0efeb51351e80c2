package org.sapwood.cli;

import java.util.List;
import org.sapwood.data.ImageSet;
import org.sapwood.diffusion.SamplingOptions;
import org.sapwood.io.PngImages;
import org.sapwood.synthesis.ImageGenerator;
import org.sapwood.synthesis.ProgressListener;
import org.sapwood.tensor.BackendChoice;

/** Draws labelled images from a trained model. */
final class SyntheticImages {
    private SyntheticImages() {}

    /**
     * Draws images, the classes in turn.
     *
     * @param classNames of the model's classes without the one that means none; one name for an unconditional model
     * @param count at least 1
     */
    static ImageSet draw(
            ImageGenerator model,
            List<String> classNames,
            int count,
            SamplingOptions options,
            BackendChoice backend,
            ProgressListener progress) {
        int[] labels = new int[count];
        for (int i = 0; i < count; i++) {
            labels[i] = i % classNames.size();
        }
        long start = System.nanoTime();
        float[] images = model.draw(
                labels,
                options,
                backend,
                done -> progress.step(
                        done, count, Double.NaN, done / Math.max(1e-9, (System.nanoTime() - start) * 1e-9)));
        int size = model.imageSize();
        return ImageSet.of(size, size, model.channels(), PngImages.toBytes(images), labels, classNames);
    }
}
