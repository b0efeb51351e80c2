package org.sapwood.nn;

import java.util.List;
import org.apache.commons.rng.simple.RandomSource;
import org.sapwood.autograd.Parameter;

/** Models small enough for exhaustive tests. */
final class TinyUNets {
    /** Two levels, attention inside, three classes, 4×4 images of two channels. */
    static final UNetConfig CONFIG = new UNetConfig(
            4, 2, 2, List.of(4, 8), 1, List.of(false, true), List.of(true, false), true, 4, 2, 1e-5f, 3, true, 0, 1);

    /**
     * The same with transformers everywhere, by every option that changes the computation: no self-attention in the
     * outer level, two blocks in one transformer, projections that are convolutions, the class in the time as well.
     */
    static final UNetConfig CONDITIONAL = withTransformers(
            new TransformerConfig(3, 6, List.of(2, 4), List.of(1, 2), List.of(true, false), false, true));

    /** Linear projections, self-attention at every level, the class in the tokens alone. */
    static final UNetConfig TOKENS_ONLY = withTransformers(
            new TransformerConfig(2, 5, List.of(1, 2), List.of(2, 1), List.of(false, false), true, false));

    /** No self-attention but in the middle. */
    static final UNetConfig CONDITIONAL_ONLY_CROSS = withTransformers(
            new TransformerConfig(3, 6, List.of(2, 4), List.of(1, 1), List.of(true, true), true, false));

    private TinyUNets() {}

    private static UNetConfig withTransformers(TransformerConfig transformer) {
        return new UNetConfig(
                4,
                2,
                2,
                List.of(4, 8),
                1,
                List.of(true, true),
                List.of(true, true),
                true,
                0,
                2,
                1e-5f,
                3,
                true,
                0,
                1,
                transformer);
    }

    /** A model in which no parameter has a special value such as the 0 and 1 of a fresh normalisation. */
    static UNet random(UNetConfig config, long seed) {
        UNet model = new UNet(config);
        model.initialize(RandomSource.XO_SHI_RO_256_PP.create(seed));
        for (Parameter parameter : model.parameters().all()) {
            perturb(parameter, seed);
        }
        return model;
    }

    /** Adds a normal value of deviation 0.2 to every weight. */
    static void perturb(Parameter parameter, long seed) {
        float[] before = parameter.value().toArray();
        Initialization.normal(
                parameter,
                0.2,
                RandomSource.XO_SHI_RO_256_PP.create(
                        seed * 31 + parameter.name().hashCode()));
        for (int i = 0; i < before.length; i++) {
            parameter.value().array()[parameter.value().offset() + i] += before[i];
        }
    }
}
