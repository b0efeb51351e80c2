package org.sapwood.nn;

import java.util.List;
import org.apache.commons.rng.UniformRandomProvider;
import org.sapwood.autograd.ActivationOp;
import org.sapwood.autograd.ReshapeOp;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Variable;

/** Three convolutions of stride 2, each followed by GroupNorm and SiLU, then a fully connected layer with SiLU. */
final class ConvolutionalBody implements ClassifierBody {
    private final List<Stage> stages;
    private final Linear hidden;

    /** A convolution of stride 2 with its normalisation. */
    private record Stage(Conv2d convolution, GroupNorm norm) {
        FeatureMap forward(Tape tape, FeatureMap x) {
            FeatureMap y = convolution.forward(tape, x);
            return y.with(norm.forwardSilu(tape, y.variable()));
        }
    }

    ConvolutionalBody(ParameterSet set, ClassifierConfig config) {
        int base = config.baseChannels();
        stages = List.of(
                stage(set, 0, config.channels(), base, 5),
                stage(set, 1, base, 2 * base, 3),
                stage(set, 2, 2 * base, 2 * base, 3));
        int flat = eighth(config.height()) * eighth(config.width()) * 2 * base;
        hidden = new Linear(set, "hidden", flat, config.features());
    }

    private static Stage stage(ParameterSet set, int index, int in, int out, int kernel) {
        String name = "stages." + index;
        return new Stage(
                new Conv2d(set, name + ".conv", in, out, kernel, 2, kernel / 2, kernel / 2),
                new GroupNorm(set, name + ".norm", out, Classifier.NORM_GROUPS, Classifier.NORM_EPSILON));
    }

    /** The edge left after three convolutions of stride 2, each of which rounds up. */
    private static int eighth(int edge) {
        return Math.ceilDiv(edge, 8);
    }

    @Override
    public void initialize(UniformRandomProvider rng) {
        for (Stage stage : stages) {
            stage.convolution().initialize(rng);
            stage.norm().initialize(rng);
        }
        hidden.initialize(rng);
    }

    @Override
    public Variable features(Tape tape, FeatureMap x) {
        FeatureMap h = x;
        for (Stage stage : stages) {
            h = stage.forward(tape, h);
        }
        Variable flat = ReshapeOp.flatten(tape, h.variable());
        return ActivationOp.silu(tape, hidden.forward(tape, flat));
    }
}
