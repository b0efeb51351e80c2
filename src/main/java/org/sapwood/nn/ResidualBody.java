package org.sapwood.nn;

import java.util.ArrayList;
import java.util.List;
import org.apache.commons.rng.UniformRandomProvider;
import org.jspecify.annotations.Nullable;
import org.sapwood.autograd.AddOp;
import org.sapwood.autograd.MeanTokensOp;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Variable;

/**
 * A residual network for small images: a 3×3 convolution to 16 channels, three stages of blocks with w, 2w and 4w
 * channels, the second and third starting with stride 2, then GroupNorm, SiLU and the mean over the image. Blocks are in
 * pre-activation order (He et al. 2016, Identity Mappings in Deep Residual Networks); width w = 16 gives their ResNets,
 * w = 16k the WideResNets of Zagoruyko and Komodakis (2016). With n blocks a stage the depth is 6n + 2 by the count of
 * the former, 6n + 4 by that of the latter, who count the shortcuts' convolutions.
 */
final class ResidualBody implements ClassifierBody {
    private static final int STEM_CHANNELS = 16;
    private static final int STAGES = 3;

    private final Conv2d stem;
    private final List<Block> blocks = new ArrayList<>();
    private final GroupNorm norm;

    ResidualBody(ParameterSet set, ClassifierConfig config, int blocksPerStage) {
        if (config.features() != features(config.baseChannels())) {
            throw new IllegalArgumentException("a residual network of " + config.baseChannels() + " base channels has "
                    + features(config.baseChannels()) + " features, got " + config.features());
        }
        stem = new Conv2d(set, "stem", config.channels(), STEM_CHANNELS, 3);
        int channels = STEM_CHANNELS;
        for (int stage = 0; stage < STAGES; stage++) {
            for (int i = 0; i < blocksPerStage; i++) {
                int out = config.baseChannels() << stage;
                int stride = stage > 0 && i == 0 ? 2 : 1;
                blocks.add(new Block(set, "stages." + stage + ".blocks." + i, channels, out, stride));
                channels = out;
            }
        }
        norm = norm(set, "norm", channels);
    }

    /** Channels of the last stage. */
    static int features(int baseChannels) {
        return baseChannels << (STAGES - 1);
    }

    private static GroupNorm norm(ParameterSet set, String name, int channels) {
        return new GroupNorm(set, name, channels, Classifier.NORM_GROUPS, Classifier.NORM_EPSILON);
    }

    /**
     * GroupNorm → SiLU → conv3×3 → GroupNorm → SiLU → conv3×3, added to the input; where the shape changes, to a 1×1
     * convolution of the activated input instead.
     */
    private static final class Block implements Module {
        private final GroupNorm norm1;
        private final Conv2d conv1;
        private final GroupNorm norm2;
        private final Conv2d conv2;
        private final @Nullable Conv2d shortcut;

        Block(ParameterSet set, String name, int in, int out, int stride) {
            norm1 = norm(set, name + ".norm1", in);
            conv1 = new Conv2d(set, name + ".conv1", in, out, 3, stride, 1, 1);
            norm2 = norm(set, name + ".norm2", out);
            conv2 = new Conv2d(set, name + ".conv2", out, out, 3);
            shortcut = in == out && stride == 1 ? null : new Conv2d(set, name + ".shortcut", in, out, 1, stride, 0, 0);
        }

        @Override
        public void initialize(UniformRandomProvider rng) {
            norm1.initialize(rng);
            conv1.initialize(rng);
            norm2.initialize(rng);
            conv2.initialize(rng);
            if (shortcut != null) {
                shortcut.initialize(rng);
            }
        }

        FeatureMap forward(Tape tape, FeatureMap x) {
            FeatureMap activated = x.with(norm1.forwardSilu(tape, x.variable()));
            FeatureMap h = conv1.forward(tape, activated);
            h = conv2.forward(tape, h.with(norm2.forwardSilu(tape, h.variable())));
            Variable carried = shortcut == null
                    ? x.variable()
                    : shortcut.forward(tape, activated).variable();
            return h.with(AddOp.add(tape, h.variable(), carried));
        }
    }

    @Override
    public void initialize(UniformRandomProvider rng) {
        stem.initialize(rng);
        blocks.forEach(block -> block.initialize(rng));
        norm.initialize(rng);
    }

    @Override
    public Variable features(Tape tape, FeatureMap x) {
        FeatureMap h = stem.forward(tape, x);
        for (Block block : blocks) {
            h = block.forward(tape, h);
        }
        return MeanTokensOp.meanTokens(tape, norm.forwardSilu(tape, h.variable()));
    }
}
