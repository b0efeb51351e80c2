package org.sapwood.synthesis;

import org.sapwood.autograd.Parameter;
import org.sapwood.data.ImageSet;
import org.sapwood.io.UserException;
import org.sapwood.nn.UNet;
import org.sapwood.nn.UNetConfig;
import org.sapwood.tensor.Tensor;

/** Prepares a publicly trained model for the classes of a sensitive set. */
final class PublicModel {
    private static final String CLASS_EMBEDDING = "class_embedding.weight";

    private PublicModel() {}

    /** Whether a parameter is the label embedder. */
    static boolean isLabelEmbedder(String parameterName) {
        return parameterName.equals(CLASS_EMBEDDING);
    }

    /** Whether a run trains the label embedder of {@code model}. */
    static boolean trainsLabels(TrainOptions options, UNet model) {
        return options.trainLabelEmbedder() && model.config().classes() > 0;
    }

    /**
     * A copy of {@code source} with {@code classes} + 1 label embeddings, the last of which means no class and keeps the
     * public one. The public classes have nothing to do with the sensitive ones, so every class starts at the mean of
     * the public embeddings: a neutral point from which the private gradients separate them.
     *
     * @param source without adapters
     */
    static UNet forClasses(UNet source, int classes) {
        UNet target = new UNet(source.config().withClasses(classes + 1));
        for (Parameter to : target.parameters().all()) {
            Parameter from = source.parameters().find(to.name());
            if (isLabelEmbedder(to.name())) {
                if (from != null) {
                    fillEmbeddings(from.value(), to.value());
                }
            } else if (from != null) {
                System.arraycopy(
                        from.value().array(),
                        from.value().offset(),
                        to.value().array(),
                        to.value().offset(),
                        to.size());
            }
        }
        return target;
    }

    /**
     * Refuses images that a model was not made for.
     *
     * @param name how the message calls the model
     */
    static void requireFit(String name, UNetConfig config, ImageSet images) {
        if (config.sampleSize() != images.height()
                || config.sampleSize() != images.width()
                || config.inChannels() != images.channels()) {
            throw new UserException(name + " is for images of " + config.sampleSize() + "x" + config.sampleSize() + "x"
                    + config.inChannels() + ", the data has " + images.height() + "x" + images.width() + "x"
                    + images.channels() + "; use --size and --channels to convert the images");
        }
    }

    private static void fillEmbeddings(Tensor from, Tensor to) {
        int width = from.dim(1);
        int publicClasses = from.dim(0) - 1;
        float[] source = from.array();
        float[] target = to.array();
        int none = from.offset() + publicClasses * width;
        int rows = to.dim(0);
        for (int c = 0; c < width; c++) {
            double mean = 0;
            for (int row = 0; row < publicClasses; row++) {
                mean += source[from.offset() + row * width + c];
            }
            float start = publicClasses == 0 ? source[none + c] : (float) (mean / publicClasses);
            for (int row = 0; row < rows - 1; row++) {
                target[to.offset() + row * width + c] = start;
            }
            target[to.offset() + (rows - 1) * width + c] = source[none + c];
        }
    }
}
