package org.sapwood.nn;

import org.apache.commons.rng.UniformRandomProvider;
import org.sapwood.autograd.ActivationOp;
import org.sapwood.autograd.DiskLayout;
import org.sapwood.autograd.GroupNormOp;
import org.sapwood.autograd.Parameter;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Variable;
import org.sapwood.tensor.Tensor;

/**
 * The layers of DPAF's discriminator below the aggregation: conv1 and conv2, each of stride 2 with a ReLU behind it, and
 * instance normalisation without affine. An image becomes p² tokens of m channels, of norm at most √m·p.
 *
 * <p>Scale and shift are constants, 1 and 0, and no parameters: a learned scale would undo the bound.
 */
public final class GanFeatures {
    private static final float NORM_EPSILON = 1e-5f;
    private static final String CONV2 = "conv2.";

    private final GanConfig config;
    private final ParameterSet parameters = new ParameterSet();
    private final Conv2d conv1;
    private final Conv2d conv2;
    private final Parameter one;
    private final Parameter zero;

    /** Layers with all parameters zero, to be initialised or loaded. */
    public GanFeatures(GanConfig config) {
        this.config = config;
        conv1 = new Conv2d(parameters, "conv1", config.channels(), config.firstFeatures(), 5, 2, 2, 2);
        conv2 = new Conv2d(parameters, "conv2", config.firstFeatures(), config.features(), 3, 2, 1, 1);
        one = constant("one", 1);
        zero = constant("zero", 0);
    }

    private Parameter constant(String name, float value) {
        Parameter parameter = new Parameter(name, Tensor.zeros(config.features()), DiskLayout.SAME);
        Initialization.constant(parameter, value);
        parameter.setTrainable(false);
        return parameter;
    }

    public ParameterSet parameters() {
        return parameters;
    }

    /** Whether a parameter belongs to conv2. */
    public static boolean isConv2(String parameterName) {
        return parameterName.startsWith(CONV2);
    }

    /** Gives every parameter a random initial value. */
    public void initialize(UniformRandomProvider rng) {
        conv1.initialize(rng);
        conv2.initialize(rng);
    }

    /**
     * Records the layers.
     *
     * @param x images in [−1, 1], [B, imageSize², channels]
     * @return [B, p², m]
     */
    public Variable forward(Tape tape, Variable x) {
        FeatureMap h = new FeatureMap(x, config.imageSize(), config.imageSize());
        h = conv1.forward(tape, h);
        h = h.with(ActivationOp.relu(tape, h.variable()));
        h = conv2.forward(tape, h);
        h = h.with(ActivationOp.relu(tape, h.variable()));
        return GroupNormOp.groupNorm(tape, h.variable(), one, zero, config.features(), NORM_EPSILON, false);
    }
}
