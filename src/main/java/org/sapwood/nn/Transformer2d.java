package org.sapwood.nn;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.apache.commons.rng.UniformRandomProvider;
import org.jspecify.annotations.Nullable;
import org.sapwood.autograd.AddOp;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Variable;

/**
 * Diffusers' {@code Transformer2DModel} over the pixels of a feature map: group normalisation, a projection,
 * transformer blocks, a projection, added to what came in.
 */
final class Transformer2d implements SpatialAttention {
    /** Fixed in diffusers, whatever {@code norm_eps} says. */
    private static final float NORM_EPSILON = 1e-6f;

    private final GroupNorm norm;
    private final PixelLayer projectIn;
    private final List<TransformerBlock> blocks = new ArrayList<>();
    private final PixelLayer projectOut;

    /**
     * @param channels of the feature map, C
     * @param groups of the normalisation, divides C
     * @param level of the UNet, 0 the outermost
     * @param onlyCross whether no attention looks at the pixels
     */
    Transformer2d(
            ParameterSet set,
            String name,
            int channels,
            int groups,
            TransformerConfig config,
            int level,
            boolean onlyCross) {
        norm = new GroupNorm(set, name + ".norm", channels, groups, NORM_EPSILON);
        projectIn = projection(set, name + ".proj_in", channels, config.linearProjection());
        for (int i = 0; i < config.layers().get(level); i++) {
            blocks.add(new TransformerBlock(
                    set,
                    name + ".transformer_blocks." + i,
                    channels,
                    config.tokenChannels(),
                    config.heads().get(level),
                    onlyCross));
        }
        projectOut = projection(set, name + ".proj_out", channels, config.linearProjection());
    }

    /** The same arithmetic in both forms; on disk a convolution has two axes more. */
    private static PixelLayer projection(ParameterSet set, String name, int channels, boolean linear) {
        return linear ? new Linear(set, name, channels, channels) : new Conv2d(set, name, channels, channels, 1);
    }

    @Override
    public void initialize(UniformRandomProvider rng) {
        norm.initialize(rng);
        projectIn.initialize(rng);
        blocks.forEach(b -> b.initialize(rng));
        projectOut.initialize(rng);
    }

    @Override
    public List<Adaptable> matrices() {
        List<Adaptable> matrices = new ArrayList<>(List.of(projectIn));
        blocks.forEach(b -> matrices.addAll(b.matrices()));
        matrices.add(projectOut);
        return matrices;
    }

    @Override
    public FeatureMap forward(Tape tape, FeatureMap x, @Nullable Variable context) {
        Variable tokens = Objects.requireNonNull(context, "a transformer looks at class tokens");
        FeatureMap h = projectIn.forward(tape, x.with(norm.forward(tape, x.variable())));
        for (TransformerBlock block : blocks) {
            h = h.with(block.forward(tape, h.variable(), tokens));
        }
        return x.with(AddOp.add(tape, projectOut.forward(tape, h).variable(), x.variable()));
    }
}
