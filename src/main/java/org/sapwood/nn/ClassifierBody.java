package org.sapwood.nn;

import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Variable;

/** All of a {@link Classifier} before its last layer. */
sealed interface ClassifierBody extends Module permits ConvolutionalBody, ResidualBody {
    /** The body that {@code config} describes, with its parameters added to {@code set}. */
    static ClassifierBody of(ParameterSet set, ClassifierConfig config) {
        return switch (config.architecture()) {
            case CNN -> new ConvolutionalBody(set, config);
            case RESNET -> new ResidualBody(set, config, 2);
            case WRN -> new ResidualBody(set, config, 1);
        };
    }

    /**
     * Records the body.
     *
     * @param x images [B, height·width, channels]
     * @return the penultimate vector, [B, 1, F]
     */
    Variable features(Tape tape, FeatureMap x);
}
