package org.sapwood.nn;

import java.util.List;
import org.apache.commons.rng.UniformRandomProvider;
import org.sapwood.autograd.ActivationOp;
import org.sapwood.autograd.FlattenOp;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Variable;

/**
 * A small convolutional classifier, made to measure image sets rather than to win on them: three strided convolutions,
 * each followed by GroupNorm and SiLU, then two fully connected layers. It has no BatchNorm, so an image's output depends
 * on that image alone, and its features are comparable between sets of any size.
 */
public final class Classifier {
    /** Groups of every normalisation. */
    static final int NORM_GROUPS = 8;

    private static final float NORM_EPSILON = 1e-5f;

    private final ClassifierConfig config;
    private final ParameterSet parameters = new ParameterSet();
    private final List<Stage> stages;
    private final Linear hidden;
    private final Linear head;

    /**
     * What the classifier computes.
     *
     * @param features [B, 1, F], the penultimate vector
     * @param logits [B, 1, V]
     */
    public record Outputs(Variable features, Variable logits) {}

    /** A convolution of stride 2 with its normalisation. */
    private record Stage(Conv2d convolution, GroupNorm norm) {
        FeatureMap forward(Tape tape, FeatureMap x) {
            FeatureMap y = convolution.forward(tape, x);
            return y.with(norm.forwardSilu(tape, y.variable()));
        }
    }

    /** A classifier with all parameters zero, to be initialised or loaded. */
    public Classifier(ClassifierConfig config) {
        this.config = config;
        int base = config.baseChannels();
        stages = List.of(
                stage(0, config.channels(), base, 5), stage(1, base, 2 * base, 3), stage(2, 2 * base, 2 * base, 3));
        int flat = eighth(config.height()) * eighth(config.width()) * 2 * base;
        hidden = new Linear(parameters, "hidden", flat, config.features());
        head = new Linear(parameters, "head", config.features(), config.classes());
    }

    private Stage stage(int index, int in, int out, int kernel) {
        String name = "stages." + index;
        return new Stage(
                new Conv2d(parameters, name + ".conv", in, out, kernel, 2, kernel / 2, kernel / 2),
                new GroupNorm(parameters, name + ".norm", out, NORM_GROUPS, NORM_EPSILON));
    }

    /** The edge left after three convolutions of stride 2, each of which rounds up. */
    private static int eighth(int edge) {
        return Math.ceilDiv(edge, 8);
    }

    public ClassifierConfig config() {
        return config;
    }

    public ParameterSet parameters() {
        return parameters;
    }

    /** Gives every parameter a random initial value. */
    public void initialize(UniformRandomProvider rng) {
        for (Stage stage : stages) {
            stage.convolution().initialize(rng);
            stage.norm().initialize(rng);
        }
        hidden.initialize(rng);
        head.initialize(rng);
    }

    /**
     * Records the classifier.
     *
     * @param x images in model space [−1, 1], [B, height·width, channels]
     * @return features and logits
     */
    public Outputs forward(Tape tape, Variable x) {
        FeatureMap h = new FeatureMap(x, config.height(), config.width());
        for (Stage stage : stages) {
            h = stage.forward(tape, h);
        }
        Variable flat = FlattenOp.flatten(tape, h.variable());
        Variable features = ActivationOp.silu(tape, hidden.forward(tape, flat));
        return new Outputs(features, head.forward(tape, features));
    }
}
