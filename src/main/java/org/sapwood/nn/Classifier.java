package org.sapwood.nn;

import org.apache.commons.rng.UniformRandomProvider;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Variable;

/**
 * A classifier made to measure image sets rather than to win on them, in one of the {@link ClassifierArchitecture}s. It
 * has no BatchNorm, so an image's output depends on that image alone, and its features are comparable between sets of any
 * size.
 */
public final class Classifier {
    /** Groups of every normalisation. */
    static final int NORM_GROUPS = 8;

    static final float NORM_EPSILON = 1e-5f;

    private final ClassifierConfig config;
    private final ParameterSet parameters = new ParameterSet();
    private final ClassifierBody body;
    private final Linear head;

    /**
     * What the classifier computes.
     *
     * @param features [B, 1, F], the penultimate vector
     * @param logits [B, 1, V]
     */
    public record Outputs(Variable features, Variable logits) {}

    /** A classifier with all parameters zero, to be initialised or loaded. */
    public Classifier(ClassifierConfig config) {
        this.config = config;
        body = ClassifierBody.of(parameters, config);
        head = new Linear(parameters, "head", config.features(), config.classes());
    }

    public ClassifierConfig config() {
        return config;
    }

    public ParameterSet parameters() {
        return parameters;
    }

    /** Gives every parameter a random initial value. */
    public void initialize(UniformRandomProvider rng) {
        body.initialize(rng);
        head.initialize(rng);
    }

    /**
     * Records the classifier.
     *
     * @param x images in model space [−1, 1], [B, height·width, channels]
     * @return features and logits
     */
    public Outputs forward(Tape tape, Variable x) {
        Variable features = body.features(tape, new FeatureMap(x, config.height(), config.width()));
        return new Outputs(features, head.forward(tape, features));
    }
}
