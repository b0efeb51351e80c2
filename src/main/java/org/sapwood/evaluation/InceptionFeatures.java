package org.sapwood.evaluation;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.sapwood.data.ImageSet;
import org.sapwood.nn.Inception;
import org.sapwood.tensor.Backend;

/**
 * The features of Inception-v3, in which the Fréchet distance is an FID (Heusel et al. 2017). Images are prepared as
 * pytorch-fid does: enlarged bilinearly to 299×299, grey repeated to RGB, values in [−1, 1].
 *
 * @param network with the weights that the user supplied
 */
public record InceptionFeatures(Inception network) implements FeatureSpace {
    /**
     * Reads the weights.
     *
     * @throws org.sapwood.io.UserException if the file is no Inception network
     */
    public static InceptionFeatures read(Path weights) {
        return new InceptionFeatures(Inception.read(weights));
    }

    @Override
    public String description() {
        return Inception.FEATURES + " features of " + network.variant().description();
    }

    @Override
    public String distanceName() {
        return switch (network.variant()) {
            case FID -> "FID";
            case TORCHVISION -> "FID (torchvision weights)";
        };
    }

    @Override
    public Features features(ImageSet images, Workers workers) {
        int size = images.size();
        float[] features = new float[Math.multiplyExact(size, Inception.FEATURES)];
        List<Lane> lanes = new ArrayList<>();
        try {
            for (int i = 0; i < Math.min(workers.threads(), size); i++) {
                lanes.add(new Lane(workers.openHostBackend(), images));
            }
            workers.forStretches(
                    size, 1, (worker, image, end) -> lanes.get(worker).features(image, features));
        } finally {
            lanes.forEach(lane -> lane.backend.close());
        }
        return new Features(features, size, Inception.FEATURES);
    }

    /** One worker's backend and images. */
    private final class Lane {
        private final Backend backend;
        private final ImageSet images;
        private final float[] original;
        private final float[] enlarged = new float[Inception.EDGE * Inception.EDGE * 3];

        Lane(Backend backend, ImageSet images) {
            this.backend = backend;
            this.images = images;
            original = new float[images.imageLength()];
        }

        void features(int image, float[] target) {
            images.copyImage(image, original, 0);
            resize(original, images.height(), images.width(), images.channels(), enlarged, Inception.EDGE);
            network.features(backend, enlarged, target, image * Inception.FEATURES);
        }
    }

    /**
     * Bilinear interpolation with half-pixel centres, PyTorch's {@code interpolate(mode="bilinear",
     * align_corners=False)}; one channel is written three times.
     *
     * @param image [height, width, channels], 1 or 3 channels
     * @param target receives [edge, edge, 3]
     */
    static void resize(float[] image, int height, int width, int channels, float[] target, int edge) {
        for (int y = 0; y < edge; y++) {
            float sourceY = source(y, height, edge);
            int top = (int) sourceY;
            int bottom = Math.min(top + 1, height - 1);
            float down = sourceY - top;
            for (int x = 0; x < edge; x++) {
                float sourceX = source(x, width, edge);
                int left = (int) sourceX;
                int right = Math.min(left + 1, width - 1);
                float across = sourceX - left;
                for (int c = 0; c < 3; c++) {
                    int channel = Math.min(c, channels - 1);
                    float a = image[(top * width + left) * channels + channel];
                    float b = image[(top * width + right) * channels + channel];
                    float d = image[(bottom * width + left) * channels + channel];
                    float e = image[(bottom * width + right) * channels + channel];
                    float upper = a + across * (b - a);
                    float lower = d + across * (e - d);
                    target[(y * edge + x) * 3 + c] = upper + down * (lower - upper);
                }
            }
        }
    }

    private static float source(int index, int from, int to) {
        return Math.clamp((index + 0.5f) * from / to - 0.5f, 0f, from - 1f);
    }
}
