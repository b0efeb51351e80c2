package org.sapwood.nn;

import org.apache.commons.rng.UniformRandomProvider;
import org.jspecify.annotations.Nullable;
import org.sapwood.autograd.Tape;

/** What encoder and decoder of an {@link Autoencoder} do at the size of a latent: resnet, attention, resnet. */
final class AutoencoderMiddle implements Module {
    private final ResnetBlock before;
    private final @Nullable Attention attention;
    private final ResnetBlock after;

    AutoencoderMiddle(ParameterSet set, String name, AutoencoderConfig config) {
        int channels = config.blockOutChannels().getLast();
        int groups = config.normGroups();
        before = new ResnetBlock(set, name + ".resnets.0", channels, channels, groups, Autoencoder.NORM_EPSILON);
        attention = config.midAttention()
                ? new Attention(set, name + ".attentions.0", channels, channels, groups, Autoencoder.NORM_EPSILON)
                : null;
        after = new ResnetBlock(set, name + ".resnets.1", channels, channels, groups, Autoencoder.NORM_EPSILON);
    }

    @Override
    public void initialize(UniformRandomProvider rng) {
        before.initialize(rng);
        if (attention != null) {
            attention.initialize(rng);
        }
        after.initialize(rng);
    }

    FeatureMap forward(Tape tape, FeatureMap x) {
        FeatureMap h = before.forward(tape, x);
        if (attention != null) {
            h = attention.forward(tape, h, null);
        }
        return after.forward(tape, h);
    }
}
