package org.sapwood.nn;

import java.util.ArrayList;
import java.util.List;
import org.apache.commons.rng.UniformRandomProvider;
import org.jspecify.annotations.Nullable;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Upsample2xOp;
import org.sapwood.autograd.Variable;

/** The decoder of an {@link Autoencoder}: what {@code post_quant_conv} made of a latent to an image. */
final class AutoencoderDecoder implements Module {
    private final Conv2d convIn;
    private final AutoencoderMiddle middle;
    private final List<Level> levels = new ArrayList<>();
    private final GroupNorm normOut;
    private final Conv2d convOut;

    /** The resnets of one resolution and the convolution behind its doubling, absent at the last. */
    private record Level(
            List<ResnetBlock> resnets, @Nullable Conv2d upsample) {}

    AutoencoderDecoder(ParameterSet set, AutoencoderConfig config) {
        int channels = config.blockOutChannels().getLast();
        int last = config.blockOutChannels().size() - 1;
        convIn = new Conv2d(set, "decoder.conv_in", config.latentChannels(), channels, 3);
        middle = new AutoencoderMiddle(set, "decoder.mid_block", config);
        for (int level = 0; level <= last; level++) {
            String name = "decoder.up_blocks." + level;
            int out = config.blockOutChannels().get(last - level);
            List<ResnetBlock> resnets = new ArrayList<>();
            for (int layer = 0; layer <= config.layersPerBlock(); layer++) {
                resnets.add(new ResnetBlock(
                        set, name + ".resnets." + layer, channels, out, config.normGroups(), Autoencoder.NORM_EPSILON));
                channels = out;
            }
            Conv2d upsample =
                    level == last ? null : new Conv2d(set, name + ".upsamplers.0.conv", channels, channels, 3);
            levels.add(new Level(resnets, upsample));
        }
        normOut = new GroupNorm(set, "decoder.conv_norm_out", channels, config.normGroups(), Autoencoder.NORM_EPSILON);
        convOut = new Conv2d(set, "decoder.conv_out", channels, config.channels(), 3);
    }

    @Override
    public void initialize(UniformRandomProvider rng) {
        convIn.initialize(rng);
        middle.initialize(rng);
        for (Level level : levels) {
            level.resnets().forEach(resnet -> resnet.initialize(rng));
            if (level.upsample() != null) {
                level.upsample().initialize(rng);
            }
        }
        normOut.initialize(rng);
        convOut.initialize(rng);
    }

    FeatureMap forward(Tape tape, FeatureMap latent) {
        FeatureMap h = middle.forward(tape, convIn.forward(tape, latent));
        for (Level level : levels) {
            for (ResnetBlock resnet : level.resnets()) {
                h = resnet.forward(tape, h);
            }
            if (level.upsample() != null) {
                Variable enlarged = Upsample2xOp.upsample2x(tape, h.variable(), h.height(), h.width());
                h = level.upsample().forward(tape, new FeatureMap(enlarged, 2 * h.height(), 2 * h.width()));
            }
        }
        return convOut.forward(tape, h.with(normOut.forwardSilu(tape, h.variable())));
    }
}
