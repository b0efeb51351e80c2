package org.sapwood.nn;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sapwood.autograd.GradientCheck;
import org.sapwood.autograd.LoraFactors;
import org.sapwood.autograd.Parameter;
import org.sapwood.tensor.Indices;

/** Central differences against the backward pass of layers and of whole small models. */
class UNetGradientTest {
    private static Indices labels() {
        Indices labels = new Indices(2);
        labels.values()[0] = 2;
        return labels;
    }

    private static void check(UNet model, @Nullable Indices labels) {
        UNetConfig config = model.config();
        int tokens = config.sampleSize() * config.sampleSize();
        new GradientCheck(1)
                .parameters(model.parameters().all())
                .coordinates(3)
                .step(1f / 8)
                .input(2, tokens, config.inChannels())
                .input(2, 1, config.blockOutChannels().getFirst())
                .check((tape, in) -> model.forward(tape, in.get(0), in.get(1), labels));
    }

    @Test
    void wholeModel() {
        check(TinyUNets.random(TinyUNets.CONFIG, 1), labels());
    }

    @Test
    void wholeModelInDdpmStyle() {
        check(
                TinyUNets.random(
                        new UNetConfig(
                                4,
                                1,
                                1,
                                List.of(4, 6),
                                2,
                                List.of(true, false),
                                List.of(false, true),
                                false,
                                0,
                                2,
                                1e-6f,
                                0,
                                false,
                                1,
                                0),
                        2),
                null);
    }

    /**
     * How the transformers stand in the model; they themselves are checked in {@link TransformerTest}. One level and
     * few pixels: differences in float32 resolve nothing behind ten blocks.
     */
    @Test
    void classTokensReachEveryTransformer() {
        UNetConfig config = new UNetConfig(
                2,
                2,
                2,
                List.of(8),
                1,
                List.of(true),
                List.of(true),
                true,
                0,
                2,
                1e-5f,
                3,
                true,
                0,
                1,
                new TransformerConfig(2, 4, List.of(2), List.of(1), List.of(false), true, true));
        UNet model = TinyUNets.random(config, 4);
        List<String> checked = List.of("conv_in.weight", "class_embedding.weight", "class_tokens.weight");
        model.parameters().trainOnly(name -> checked.contains(name) || name.endsWith("attn2.to_k.weight"));
        new GradientCheck(1)
                .parameters(model.parameters().all().stream()
                        .filter(Parameter::trainable)
                        .toList())
                .coordinates(12)
                .input(2, 4, 2)
                .constant(2, 1, 8)
                .check((tape, in) -> model.forward(tape, in.get(0), in.get(1), labels()));
    }

    @Test
    void adaptersOnEveryMatrix() {
        UNet model = TinyUNets.random(TinyUNets.CONFIG, 3);
        for (Adaptable matrix : List.copyOf(model.matrices().values())) {
            LoraFactors factors = matrix.adapt(model.parameters(), 2, 0.5f);
            TinyUNets.perturb(factors.a(), 3);
            TinyUNets.perturb(factors.b(), 3);
        }
        model.parameters().trainOnly(Weights::isLoraFactor);
        check(model, labels());
    }

    @ParameterizedTest
    @CsvSource({"3,1,1,1", "3,2,1,1", "3,2,0,1", "1,1,0,0"})
    void loconAdapter(int kernel, int stride, int padLow, int padHigh) {
        ParameterSet set = new ParameterSet();
        Conv2d conv = new Conv2d(set, "conv", 3, 5, kernel, stride, padLow, padHigh);
        conv.adapt(set, 2, -0.6f);
        set.all().forEach(p -> TinyUNets.perturb(p, 4));
        new GradientCheck(5)
                .parameters(set.all())
                .input(2, 24, 3)
                .check((tape, in) ->
                        conv.forward(tape, new FeatureMap(in.getFirst(), 6, 4)).variable());
    }
}
