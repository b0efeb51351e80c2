package org.sapwood.synthesis;

import org.sapwood.autograd.Parameter;
import org.sapwood.io.UserException;
import org.sapwood.nn.UNet;
import org.sapwood.nn.UNetConfig;

/** Prepares a publicly trained model for the classes of a sensitive set. */
final class PublicModel {
    private PublicModel() {}

    /** Whether a run trains the label embedder of {@code model}. */
    static boolean trainsLabels(TrainOptions options, UNet model) {
        return options.trainLabelEmbedder() && model.config().classes() > 0;
    }

    /**
     * A copy of {@code source} with {@code classes} + 1 label embeddings, all equal to the public embedding of no class.
     * The public classes have nothing to do with the sensitive ones; unconditional generation, which the public model
     * knows, is the neutral point from which the private gradients separate the classes. (The mean of the public
     * embeddings is none: it lies far from every embedding that the model has seen, and samples from it are noise.)
     *
     * @param source without adapters
     */
    static UNet forClasses(UNet source, int classes) {
        UNet target = new UNet(source.config().withClasses(classes + 1));
        for (Parameter to : target.parameters().all()) {
            Parameter from = source.parameters().find(to.name());
            if (from == null) {
                continue;
            }
            int none =
                    UNet.isLabelEmbedder(to.name()) ? from.size() - from.value().dim(1) : 0;
            int length = from.size() - none;
            for (int at = 0; at < to.size(); at += length) {
                System.arraycopy(
                        from.value().array(),
                        from.value().offset() + none,
                        to.value().array(),
                        to.value().offset() + at,
                        length);
            }
        }
        return target;
    }

    /**
     * Refuses images that a model was not made for.
     *
     * @param name how the message calls the model
     */
    static void requireFit(String name, UNetConfig config, TrainingImages images) {
        requireFit(name, config.sampleSize(), config.inChannels(), images);
    }

    /**
     * Refuses images of another size than {@code size}×{@code size}×{@code channels}.
     *
     * @param name how the message calls the model
     */
    static void requireFit(String name, int size, int channels, TrainingImages images) {
        if (size != images.height() || size != images.width() || channels != images.channels()) {
            throw new UserException(name + " is for images of " + size + "x" + size + "x" + channels + ", the data has "
                    + images.height() + "x" + images.width() + "x" + images.channels()
                    + "; use --size and --channels to convert the images");
        }
    }
}
