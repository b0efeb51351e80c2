package org.sapwood.nn;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import org.apache.commons.rng.UniformRandomProvider;
import org.jspecify.annotations.Nullable;
import org.sapwood.autograd.AddOp;
import org.sapwood.autograd.AddPerSampleOp;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Variable;

/**
 * GroupNorm → SiLU → conv3×3 → + Linear(time embedding) → GroupNorm → SiLU → conv3×3, added to the input, which passes
 * a 1×1 convolution where the number of channels changes. An autoencoder's blocks have no time embedding.
 */
final class ResnetBlock implements Module {
    private final GroupNorm norm1;
    private final Conv2d conv1;
    private final @Nullable Linear timeProjection;
    private final GroupNorm norm2;
    private final Conv2d conv2;
    private final @Nullable Conv2d shortcut;

    /** A block that reads a time embedding of {@code timeChannels}. */
    ResnetBlock(ParameterSet set, String name, int in, int out, int timeChannels, int groups, float epsilon) {
        this(set, name, in, out, OptionalInt.of(timeChannels), groups, epsilon);
    }

    /** A block without time embedding. */
    ResnetBlock(ParameterSet set, String name, int in, int out, int groups, float epsilon) {
        this(set, name, in, out, OptionalInt.empty(), groups, epsilon);
    }

    private ResnetBlock(
            ParameterSet set, String name, int in, int out, OptionalInt timeChannels, int groups, float epsilon) {
        norm1 = new GroupNorm(set, name + ".norm1", in, groups, epsilon);
        conv1 = new Conv2d(set, name + ".conv1", in, out, 3);
        timeProjection =
                timeChannels.isEmpty() ? null : new Linear(set, name + ".time_emb_proj", timeChannels.getAsInt(), out);
        norm2 = new GroupNorm(set, name + ".norm2", out, groups, epsilon);
        conv2 = new Conv2d(set, name + ".conv2", out, out, 3);
        shortcut = in == out ? null : new Conv2d(set, name + ".conv_shortcut", in, out, 1);
    }

    @Override
    public void initialize(UniformRandomProvider rng) {
        norm1.initialize(rng);
        norm2.initialize(rng);
        if (timeProjection != null) {
            timeProjection.initialize(rng);
        }
        convolutions().forEach(c -> c.initialize(rng));
    }

    Linear timeProjection() {
        return Objects.requireNonNull(timeProjection, "this block has no time embedding");
    }

    List<Conv2d> convolutions() {
        List<Conv2d> convolutions = new ArrayList<>(List.of(conv1, conv2));
        if (shortcut != null) {
            convolutions.add(shortcut);
        }
        return convolutions;
    }

    /**
     * @param x [B, T, in]
     * @param activatedTime SiLU of the time embedding, [B, 1, timeChannels]
     * @return [B, T, out]
     */
    FeatureMap forward(Tape tape, FeatureMap x, Variable activatedTime) {
        FeatureMap h = begin(tape, x);
        Variable time = timeProjection().forward(tape, activatedTime);
        return end(tape, x, h.with(AddPerSampleOp.addPerSample(tape, h.variable(), time)));
    }

    /** The same for a block without time embedding. */
    FeatureMap forward(Tape tape, FeatureMap x) {
        return end(tape, x, begin(tape, x));
    }

    private FeatureMap begin(Tape tape, FeatureMap x) {
        return conv1.forward(tape, x.with(norm1.forwardSilu(tape, x.variable())));
    }

    private FeatureMap end(Tape tape, FeatureMap x, FeatureMap begun) {
        FeatureMap h = conv2.forward(tape, begun.with(norm2.forwardSilu(tape, begun.variable())));
        Variable residual =
                shortcut == null ? x.variable() : shortcut.forward(tape, x).variable();
        return h.with(AddOp.add(tape, h.variable(), residual));
    }
}
