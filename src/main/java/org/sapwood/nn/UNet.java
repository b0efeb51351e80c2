package org.sapwood.nn;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.commons.rng.UniformRandomProvider;
import org.jspecify.annotations.Nullable;
import org.sapwood.autograd.ActivationOp;
import org.sapwood.autograd.AddOp;
import org.sapwood.autograd.ConcatOp;
import org.sapwood.autograd.DiskLayout;
import org.sapwood.autograd.EmbeddingOp;
import org.sapwood.autograd.Parameter;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Upsample2xOp;
import org.sapwood.autograd.Variable;
import org.sapwood.io.UserException;
import org.sapwood.tensor.Indices;

/**
 * The class-conditional denoising UNet: diffusers' {@code UNet2DModel} or, with transformers, its
 * {@code UNet2DConditionModel}, with the same parameter names and the same arithmetic. Predicts the noise in a noisy
 * image, given timestep and class. The class comes in by an embedding that is added to the time embedding, by tokens
 * that the transformers look at, or by both.
 */
public final class UNet {
    /** In the names of all parameters below an {@code attentions} list. */
    private static final String ATTENTION = ".attentions.";

    private static final String CLASS_EMBEDDING = "class_embedding.weight";

    private final UNetConfig config;
    private final ParameterSet parameters = new ParameterSet();
    private final List<Module> modules = new ArrayList<>();
    private final Map<String, Adaptable> matrices = new LinkedHashMap<>();
    private final List<String> transformerBlocks = new ArrayList<>();

    private final Conv2d convIn;
    private final Linear timeLinear1;
    private final Linear timeLinear2;
    private final @Nullable Parameter classEmbedding;
    private final @Nullable ClassTokens classTokens;
    private final List<Level> down = new ArrayList<>();
    private final Level middle;
    private final List<Level> up = new ArrayList<>();
    private final GroupNorm normOut;
    private final Conv2d convOut;

    /** One level: its resnets, the attentions behind them (none or one each) and the change of resolution, if any. */
    private record Level(
            List<ResnetBlock> resnets,
            List<SpatialAttention> attentions,
            @Nullable Conv2d resample) {}

    /** A model with all parameters zero, to be initialised or loaded. */
    public UNet(UNetConfig config) {
        this.config = config;
        int first = config.blockOutChannels().getFirst();
        int time = config.timeChannels();
        int levels = config.blockOutChannels().size();

        convIn = conv("conv_in", config.inChannels(), first, 3);
        timeLinear1 = linear("time_embedding.linear_1", first, time);
        timeLinear2 = linear("time_embedding.linear_2", time, time);
        classEmbedding =
                config.classInTime() ? parameters.add(CLASS_EMBEDDING, DiskLayout.SAME, config.classes(), time) : null;
        TransformerConfig transformer = config.transformer();
        classTokens = transformer == null ? null : new ClassTokens(parameters, config.classes(), transformer);

        Deque<Integer> skips = new ArrayDeque<>(List.of(first));
        int channels = first;
        for (int level = 0; level < levels; level++) {
            String name = "down_blocks." + level;
            int out = config.blockOutChannels().get(level);
            List<ResnetBlock> resnets = new ArrayList<>();
            List<SpatialAttention> attentions = new ArrayList<>();
            for (int layer = 0; layer < config.layersPerBlock(); layer++) {
                resnets.add(resnet(name + ".resnets." + layer, channels, out));
                channels = out;
                if (config.downAttention().get(level)) {
                    attentions.add(attention(name + ATTENTION + layer, channels, level, onlyCross(level)));
                }
                skips.push(channels);
            }
            Conv2d downsample = null;
            if (level < levels - 1) {
                int padLow = config.downsamplePadding();
                downsample = register(
                        new Conv2d(parameters, name + ".downsamplers.0.conv", channels, channels, 3, 2, padLow, 1));
                skips.push(channels);
            }
            down.add(new Level(resnets, attentions, downsample));
        }

        ResnetBlock before = resnet("mid_block.resnets.0", channels, channels);
        List<SpatialAttention> midAttention = config.midAttention()
                ? List.of(attention("mid_block" + ATTENTION + 0, channels, levels - 1, false))
                : List.of();
        ResnetBlock after = resnet("mid_block.resnets.1", channels, channels);
        middle = new Level(List.of(before, after), midAttention, null);

        for (int step = 0; step < levels; step++) {
            String name = "up_blocks." + step;
            int level = levels - 1 - step;
            int out = config.blockOutChannels().get(level);
            List<ResnetBlock> resnets = new ArrayList<>();
            List<SpatialAttention> attentions = new ArrayList<>();
            for (int layer = 0; layer <= config.layersPerBlock(); layer++) {
                resnets.add(resnet(name + ".resnets." + layer, channels + skips.pop(), out));
                channels = out;
                if (config.upAttention().get(step)) {
                    attentions.add(attention(name + ATTENTION + layer, channels, level, onlyCross(level)));
                }
            }
            Conv2d upsample = level > 0 ? conv(name + ".upsamplers.0.conv", channels, channels, 3) : null;
            up.add(new Level(resnets, attentions, upsample));
        }
        normOut = register(
                new GroupNorm(parameters, "conv_norm_out", channels, config.normGroups(), config.normEpsilon()));
        convOut = conv("conv_out", channels, config.outChannels(), 3);
    }

    private Conv2d conv(String name, int in, int out, int kernel) {
        return register(new Conv2d(parameters, name, in, out, kernel));
    }

    private Linear linear(String name, int in, int out) {
        return register(new Linear(parameters, name, in, out));
    }

    private ResnetBlock resnet(String name, int in, int out) {
        if (in % config.normGroups() != 0) {
            throw new UserException("model configuration: norm_num_groups " + config.normGroups() + " must divide the "
                    + in + " input channels of " + name);
        }
        ResnetBlock block = new ResnetBlock(
                parameters, name, in, out, config.timeChannels(), config.normGroups(), config.normEpsilon());
        modules.add(block);
        addMatrix(block.timeProjection());
        block.convolutions().forEach(this::addMatrix);
        return block;
    }

    private SpatialAttention attention(String name, int channels, int level, boolean onlyCross) {
        TransformerConfig transformer = config.transformer();
        SpatialAttention attention = transformer == null
                ? new Attention(
                        parameters, name, channels, config.headDim(channels), config.normGroups(), config.normEpsilon())
                : new Transformer2d(parameters, name, channels, config.normGroups(), transformer, level, onlyCross);
        modules.add(attention);
        attention.matrices().forEach(this::addMatrix);
        if (transformer == null) {
            transformerBlocks.add(name);
        } else {
            for (int i = 0; i < transformer.layers().get(level); i++) {
                transformerBlocks.add(name + ".transformer_blocks." + i);
            }
        }
        return attention;
    }

    private boolean onlyCross(int level) {
        TransformerConfig transformer = config.transformer();
        return transformer != null && transformer.onlyCrossAttention().get(level);
    }

    private <M extends Module> M register(M module) {
        modules.add(module);
        if (module instanceof Adaptable adaptable) {
            addMatrix(adaptable);
        }
        return module;
    }

    private void addMatrix(Adaptable adaptable) {
        matrices.put(adaptable.weight().name(), adaptable);
    }

    public UNetConfig config() {
        return config;
    }

    /** All parameters, adapters included. */
    public ParameterSet parameters() {
        return parameters;
    }

    /** Every matrix that can carry a low-rank adapter, by the name of its weight. */
    public Map<String, Adaptable> matrices() {
        return matrices;
    }

    /**
     * Names of the label embedders, which have one row per class, the last for no class:
     * {@code class_embedding.weight}, {@code class_tokens.weight}, both or none.
     */
    public List<String> conditionParameters() {
        List<String> names = new ArrayList<>();
        if (classEmbedding != null) {
            names.add(classEmbedding.name());
        }
        if (classTokens != null) {
            names.add(classTokens.table().name());
        }
        return List.copyOf(names);
    }

    /** Whether a parameter is one of {@link #conditionParameters}. */
    public static boolean isLabelEmbedder(String parameterName) {
        return parameterName.equals(CLASS_EMBEDDING) || parameterName.equals(ClassTokens.NAME);
    }

    /**
     * The transformer blocks in the order of the forward pass, each as what its parameters' names begin with before a
     * dot, such as {@code mid_block.attentions.0.transformer_blocks.0}; in a {@code UNet2DModel} its attention blocks.
     */
    public List<String> transformerBlocks() {
        return List.copyOf(transformerBlocks);
    }

    /**
     * Whether a parameter belongs to an attention block or a transformer: projections, normalisation, feed-forward
     * network.
     */
    public static boolean inAttention(String parameterName) {
        return parameterName.contains(ATTENTION);
    }

    /** Whether a parameter belongs to one of the four projections of an attention: weight, bias or adapter. */
    public static boolean inAttentionProjection(String parameterName) {
        return inAttention(parameterName) && AttentionProjections.holds(parameterName);
    }

    /** Gives every parameter a random initial value, with PyTorch's default distributions. */
    public void initialize(UniformRandomProvider rng) {
        modules.forEach(m -> m.initialize(rng));
        if (classEmbedding != null) {
            Initialization.normal(classEmbedding, 1, rng);
        }
        if (classTokens != null) {
            classTokens.initialize(rng);
        }
    }

    /**
     * Records the model.
     *
     * @param x noisy images, [B, sampleSize², inChannels]
     * @param timestepEncoding [B, 1, blockOutChannels[0]], made by {@link UNetConfig#timestepEncoding}
     * @param labels a class per image, or null to leave the class embedding out
     * @return predicted noise, [B, sampleSize², outChannels]
     * @throws IllegalArgumentException if labels are missing for a model with class tokens
     */
    public Variable forward(Tape tape, Variable x, Variable timestepEncoding, @Nullable Indices labels) {
        Variable time = ActivationOp.silu(tape, timeLinear1.forward(tape, timestepEncoding));
        time = timeLinear2.forward(tape, time);
        if (classEmbedding != null && labels != null) {
            time = AddOp.add(tape, time, EmbeddingOp.embedding(tape, classEmbedding, labels));
        }
        Variable activatedTime = ActivationOp.silu(tape, time);
        Variable context = context(tape, labels);

        int size = config.sampleSize();
        FeatureMap h = convIn.forward(tape, new FeatureMap(x, size, size));
        Deque<FeatureMap> skips = new ArrayDeque<>(List.of(h));
        for (Level level : down) {
            for (int i = 0; i < level.resnets().size(); i++) {
                h = level.resnets().get(i).forward(tape, h, activatedTime);
                if (!level.attentions().isEmpty()) {
                    h = level.attentions().get(i).forward(tape, h, context);
                }
                skips.push(h);
            }
            if (level.resample() != null) {
                h = level.resample().forward(tape, h);
                skips.push(h);
            }
        }
        h = middle.resnets().getFirst().forward(tape, h, activatedTime);
        for (SpatialAttention attention : middle.attentions()) {
            h = attention.forward(tape, h, context);
        }
        h = middle.resnets().getLast().forward(tape, h, activatedTime);
        for (Level level : up) {
            for (int i = 0; i < level.resnets().size(); i++) {
                FeatureMap joined =
                        h.with(ConcatOp.concat(tape, h.variable(), skips.pop().variable()));
                h = level.resnets().get(i).forward(tape, joined, activatedTime);
                if (!level.attentions().isEmpty()) {
                    h = level.attentions().get(i).forward(tape, h, context);
                }
            }
            if (level.resample() != null) {
                Variable enlarged = Upsample2xOp.upsample2x(tape, h.variable(), h.height(), h.width());
                h = level.resample().forward(tape, new FeatureMap(enlarged, 2 * h.height(), 2 * h.width()));
            }
        }
        return convOut.forward(tape, h.with(normOut.forwardSilu(tape, h.variable())))
                .variable();
    }

    /** Class tokens [B, S, D], or null where the model has none. */
    private @Nullable Variable context(Tape tape, @Nullable Indices labels) {
        if (classTokens == null) {
            return null;
        }
        if (labels == null) {
            throw new IllegalArgumentException("a model with class tokens needs labels; the last class is none");
        }
        return classTokens.forward(tape, labels);
    }
}
