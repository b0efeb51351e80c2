package org.sapwood.evaluation;

import java.nio.file.Path;
import java.util.Map;
import org.sapwood.data.ImageSet;
import org.sapwood.io.UserException;
import org.sapwood.nn.Classifier;
import org.sapwood.nn.ClassifierArchitecture;
import org.sapwood.nn.ClassifierConfig;
import org.sapwood.nn.ClassifierFile;

/**
 * A feature space: the penultimate layer of a classifier trained on public images. Distances in it are comparable only
 * with distances in the same one, so it carries the name of its data and can be kept in a file. It is not the Inception
 * network, and no distance measured with it is an FID.
 *
 * @param classifier the network
 * @param publicData name of the public set it was trained on, such as {@code Omniglot}
 */
public record FeatureModel(Classifier classifier, String publicData) implements FeatureSpace {
    private static final String PUBLIC_DATA = "public_data";

    /**
     * Trains a classifier on public images.
     *
     * @param images public, with at least two images
     * @param publicData their name, for reports
     */
    public static FeatureModel train(
            ImageSet images, String publicData, ClassifierTrainingOptions options, long seed, Workers workers) {
        TrainedClassifier trained =
                ClassifierTraining.train(images, ClassifierArchitecture.CNN, options, seed, workers);
        return new FeatureModel(trained.classifier(), publicData);
    }

    @Override
    public String description() {
        ClassifierConfig config = classifier.config();
        return config.features() + " features of a " + config.classes() + "-class classifier trained on " + publicData;
    }

    @Override
    public String distanceName() {
        return "Fréchet distance";
    }

    /** Writes the model as a safetensors file, atomically. */
    public void write(Path path) {
        new ClassifierFile(classifier, Map.of(PUBLIC_DATA, publicData)).write(path);
    }

    /**
     * Reads a model that {@link #write} made.
     *
     * @throws UserException if the file is damaged or is no feature model
     */
    public static FeatureModel read(Path path) {
        ClassifierFile file = ClassifierFile.read(path);
        String publicData = file.metadata().get(PUBLIC_DATA);
        if (publicData == null) {
            throw new UserException(path + " is no feature model: its metadata does not name its " + PUBLIC_DATA);
        }
        return new FeatureModel(file.classifier(), publicData);
    }

    @Override
    public Features features(ImageSet images, Workers workers) {
        ClassifierConfig config = classifier.config();
        if (images.height() != config.height()
                || images.width() != config.width()
                || images.channels() != config.channels()) {
            throw new UserException("the feature model trained on " + publicData + " takes images of " + config.height()
                    + "x" + config.width() + "x" + config.channels() + ", got " + images.height() + "x"
                    + images.width() + "x" + images.channels() + "; train it on public images of that size");
        }
        try (ClassifierInference inference = new ClassifierInference(workers, classifier)) {
            return new Features(inference.run(images).features(), images.size(), config.features());
        }
    }
}
