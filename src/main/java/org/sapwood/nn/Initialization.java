package org.sapwood.nn;

import java.util.Arrays;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.sampling.distribution.ContinuousSampler;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;
import org.sapwood.autograd.Parameter;
import org.sapwood.tensor.Tensor;

/** Random initial values, with the distributions that PyTorch uses by default. */
final class Initialization {
    private Initialization() {}

    /** Uniform in ±1/√fanIn, PyTorch's default for weights and biases of Linear and Conv2d. */
    static void uniformFanIn(Parameter parameter, int fanIn, UniformRandomProvider rng) {
        float bound = (float) (1 / Math.sqrt(fanIn));
        Tensor t = parameter.value();
        for (int i = 0; i < t.size(); i++) {
            t.array()[t.offset() + i] = (2 * rng.nextFloat() - 1) * bound;
        }
    }

    /** Normal with mean 0. */
    static void normal(Parameter parameter, double standardDeviation, UniformRandomProvider rng) {
        ContinuousSampler gaussian = ZigguratSampler.NormalizedGaussian.of(rng);
        Tensor t = parameter.value();
        for (int i = 0; i < t.size(); i++) {
            t.array()[t.offset() + i] = (float) (gaussian.sample() * standardDeviation);
        }
    }

    static void constant(Parameter parameter, float value) {
        Tensor t = parameter.value();
        Arrays.fill(t.array(), t.offset(), t.offset() + t.size(), value);
    }
}
