package org.sapwood.nn;

import java.util.ArrayList;
import java.util.List;
import org.apache.commons.rng.UniformRandomProvider;
import org.jspecify.annotations.Nullable;
import org.sapwood.autograd.Tape;

/** The encoder of an {@link Autoencoder}: an image to the moments of its latent, before {@code quant_conv}. */
final class AutoencoderEncoder implements Module {
    private final Conv2d convIn;
    private final List<Level> levels = new ArrayList<>();
    private final AutoencoderMiddle middle;
    private final GroupNorm normOut;
    private final Conv2d convOut;

    /** The resnets of one resolution and the convolution that halves it, absent at the last. */
    private record Level(
            List<ResnetBlock> resnets, @Nullable Conv2d downsample) {}

    AutoencoderEncoder(ParameterSet set, AutoencoderConfig config) {
        int channels = config.blockOutChannels().getFirst();
        int last = config.blockOutChannels().size() - 1;
        convIn = new Conv2d(set, "encoder.conv_in", config.channels(), channels, 3);
        for (int level = 0; level <= last; level++) {
            String name = "encoder.down_blocks." + level;
            int out = config.blockOutChannels().get(level);
            List<ResnetBlock> resnets = new ArrayList<>();
            for (int layer = 0; layer < config.layersPerBlock(); layer++) {
                resnets.add(new ResnetBlock(
                        set, name + ".resnets." + layer, channels, out, config.normGroups(), Autoencoder.NORM_EPSILON));
                channels = out;
            }
            // Padding on the far side alone, as diffusers has it.
            Conv2d downsample = level == last
                    ? null
                    : new Conv2d(set, name + ".downsamplers.0.conv", channels, channels, 3, 2, 0, 1);
            levels.add(new Level(resnets, downsample));
        }
        middle = new AutoencoderMiddle(set, "encoder.mid_block", config);
        normOut = new GroupNorm(set, "encoder.conv_norm_out", channels, config.normGroups(), Autoencoder.NORM_EPSILON);
        convOut = new Conv2d(set, "encoder.conv_out", channels, 2 * config.latentChannels(), 3);
    }

    @Override
    public void initialize(UniformRandomProvider rng) {
        convIn.initialize(rng);
        for (Level level : levels) {
            level.resnets().forEach(resnet -> resnet.initialize(rng));
            if (level.downsample() != null) {
                level.downsample().initialize(rng);
            }
        }
        middle.initialize(rng);
        normOut.initialize(rng);
        convOut.initialize(rng);
    }

    FeatureMap forward(Tape tape, FeatureMap image) {
        FeatureMap h = convIn.forward(tape, image);
        for (Level level : levels) {
            for (ResnetBlock resnet : level.resnets()) {
                h = resnet.forward(tape, h);
            }
            if (level.downsample() != null) {
                h = level.downsample().forward(tape, h);
            }
        }
        h = middle.forward(tape, h);
        return convOut.forward(tape, h.with(normOut.forwardSilu(tape, h.variable())));
    }
}
