package org.sapwood.autograd;

import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.sapwood.tensor.ConvGeometry;
import org.sapwood.tensor.Indices;

/** Central differences against the backward pass of every operation. */
@Tag("no-vector")
class OpGradientTest {
    private static Indices indices(int... values) {
        Indices indices = new Indices(values.length);
        System.arraycopy(values, 0, indices.values(), 0, values.length);
        return indices;
    }

    @Test
    void linear() {
        GradientCheck check = new GradientCheck(1).input(2, 3, 5);
        Parameter weight = check.parameter("weight", DiskLayout.SAME, 4, 5);
        Parameter bias = check.parameter("bias", DiskLayout.SAME, 4);
        check.check((tape, in) -> LinearOp.linear(tape, in.getFirst(), weight, bias, null));
    }

    @Test
    void linearWithoutBiasOnAConstant() {
        GradientCheck check = new GradientCheck(2).constant(2, 3, 5);
        Parameter weight = check.parameter("weight", DiskLayout.SAME, 4, 5);
        check.check((tape, in) -> LinearOp.linear(tape, in.getFirst(), weight, null, null));
    }

    /** Every combination of frozen and trainable among W, bias, A and B, and of wanted and unwanted dx. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 14, 15})
    void linearWithLora(int trainable) {
        for (boolean wantsInput : new boolean[] {true, false}) {
            GradientCheck check = new GradientCheck(trainable);
            check = wantsInput ? check.input(2, 3, 5) : check.constant(2, 3, 5);
            Parameter weight = check.parameter("weight", DiskLayout.SAME, 4, 5);
            Parameter bias = check.parameter("bias", DiskLayout.SAME, 4);
            LoraFactors lora = new LoraFactors(
                    check.parameter("a", DiskLayout.SAME, 2, 5), check.parameter("b", DiskLayout.SAME, 4, 2), 0.7f);
            List<Parameter> all = List.of(weight, bias, lora.a(), lora.b());
            for (int i = 0; i < 4; i++) {
                all.get(i).setTrainable((trainable >> i & 1) == 1);
            }
            check.check((tape, in) -> LinearOp.linear(tape, in.getFirst(), weight, bias, lora));
        }
    }

    @ParameterizedTest
    @CsvSource({"3,1,1,1", "3,2,1,1", "3,2,0,1", "1,1,0,0", "3,1,0,2", "2,2,0,0"})
    void convolution(int kernel, int stride, int padLow, int padHigh) {
        ConvGeometry geometry = new ConvGeometry(6, 4, 2, 3, kernel, stride, padLow, padHigh);
        GradientCheck check = new GradientCheck(10).input(2, 24, 2);
        Parameter weight = check.parameter("weight", DiskLayout.CONVOLUTION, kernel, kernel, 2, 3);
        Parameter bias = check.parameter("bias", DiskLayout.SAME, 3);
        check.check((tape, in) -> Conv2dOp.conv2d(tape, in.getFirst(), weight, bias, geometry));
    }

    @Test
    void convolutionOfAConstantWithoutBias() {
        ConvGeometry geometry = ConvGeometry.same(4, 3, 2, 3, 3);
        GradientCheck check = new GradientCheck(11).constant(2, 12, 2);
        Parameter weight = check.parameter("weight", DiskLayout.CONVOLUTION, 3, 3, 2, 3);
        check.check((tape, in) -> Conv2dOp.conv2d(tape, in.getFirst(), weight, null, geometry));
    }

    @ParameterizedTest
    @CsvSource({"1,false", "2,false", "6,false", "1,true", "2,true", "6,true"})
    void groupNorm(int groups, boolean silu) {
        GradientCheck check = new GradientCheck(20).input(2, 5, 6);
        Parameter gamma = check.parameter("gamma", DiskLayout.SAME, 6);
        Parameter beta = check.parameter("beta", DiskLayout.SAME, 6);
        check.check((tape, in) -> GroupNormOp.groupNorm(tape, in.getFirst(), gamma, beta, groups, 1e-5f, silu));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void groupNormWithOneParameterFrozen(boolean gammaTrains) {
        GradientCheck check = new GradientCheck(21).input(2, 5, 4);
        Parameter gamma = check.parameter("gamma", DiskLayout.SAME, 4);
        Parameter beta = check.parameter("beta", DiskLayout.SAME, 4);
        gamma.setTrainable(gammaTrains);
        beta.setTrainable(!gammaTrains);
        check.check((tape, in) -> GroupNormOp.groupNorm(tape, in.getFirst(), gamma, beta, 2, 1e-5f, true));
    }

    @ParameterizedTest
    @CsvSource({"1,1,5", "2,5,6", "3,1,2"})
    void layerNorm(int batch, int tokens, int channels) {
        GradientCheck check =
                new GradientCheck(22).input(batch, tokens, channels).step(1f / 64);
        Parameter gamma = check.parameter("gamma", DiskLayout.SAME, channels);
        Parameter beta = check.parameter("beta", DiskLayout.SAME, channels);
        check.check((tape, in) -> LayerNormOp.layerNorm(tape, in.getFirst(), gamma, beta, 1e-1f));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void layerNormWithOneParameterFrozen(boolean gammaTrains) {
        for (boolean wantsInput : new boolean[] {true, false}) {
            GradientCheck check = new GradientCheck(23);
            check = wantsInput ? check.input(2, 5, 7) : check.constant(2, 5, 7);
            Parameter gamma = check.parameter("gamma", DiskLayout.SAME, 7);
            Parameter beta = check.parameter("beta", DiskLayout.SAME, 7);
            gamma.setTrainable(gammaTrains);
            beta.setTrainable(!gammaTrains);
            check.check((tape, in) -> LayerNormOp.layerNorm(tape, in.getFirst(), gamma, beta, 1e-5f));
        }
    }

    @ParameterizedTest
    @CsvSource({"1,4,4", "2,3,5", "4,6,2", "2,1,1"})
    void attention(int heads, int queries, int keys) {
        new GradientCheck(30)
                .input(2, queries, 8)
                .input(2, keys, 8)
                .input(2, keys, 8)
                .check((tape, in) -> AttentionOp.attention(tape, in.get(0), in.get(1), in.get(2), heads));
    }

    @Test
    void attentionWithConstantQueriesAndValues() {
        new GradientCheck(31)
                .constant(2, 3, 4)
                .input(2, 5, 4)
                .constant(2, 5, 4)
                .check((tape, in) -> AttentionOp.attention(tape, in.get(0), in.get(1), in.get(2), 2));
    }

    /** Cross-attention: keys and values are two projections of one context, tokens of a class. */
    @Test
    void attentionOnTokensOfAClass() {
        GradientCheck check = new GradientCheck(32).input(2, 5, 4);
        Parameter table = check.parameter("table", DiskLayout.SAME, 3, 6);
        Parameter toK = check.parameter("to_k", DiskLayout.SAME, 4, 2);
        Parameter toV = check.parameter("to_v", DiskLayout.SAME, 4, 2);
        check.check((tape, in) -> {
            Variable context = ReshapeOp.tokens(tape, EmbeddingOp.embedding(tape, table, indices(2, 0)), 3);
            Variable k = LinearOp.linear(tape, context, toK, null, null);
            Variable v = LinearOp.linear(tape, context, toV, null, null);
            return AttentionOp.attention(tape, in.getFirst(), k, v, 2);
        });
    }

    @Test
    void embeddingWithARepeatedRow() {
        GradientCheck check = new GradientCheck(40);
        Parameter table = check.parameter("table", DiskLayout.SAME, 5, 3);
        check.check((tape, in) -> EmbeddingOp.embedding(tape, table, indices(3, 0, 3)));
    }

    @Test
    void addition() {
        new GradientCheck(50).input(2, 3, 4).input(2, 3, 4).check((tape, in) -> AddOp.add(tape, in.get(0), in.get(1)));
        new GradientCheck(51)
                .input(2, 3, 4)
                .input(2, 3, 4)
                .check((tape, in) -> AddOp.addScaled(tape, in.get(0), in.get(1), -1.7f));
        new GradientCheck(52)
                .constant(2, 3, 4)
                .input(2, 3, 4)
                .check((tape, in) -> AddOp.addScaled(tape, in.get(0), in.get(1), 0.3f));
    }

    @Test
    void activations() {
        new GradientCheck(60).input(2, 3, 4).check((tape, in) -> ActivationOp.silu(tape, in.getFirst()));
        new GradientCheck(61).input(2, 3, 4).awayFromZero().check((tape, in) -> ActivationOp.relu(tape, in.getFirst()));
        new GradientCheck(62).input(2, 3, 5).check((tape, in) -> ActivationOp.tanh(tape, in.getFirst()));
        new GradientCheck(63)
                .input(2, 3, 5)
                .awayFromZero()
                .check((tape, in) -> ActivationOp.leakyRelu(tape, in.getFirst(), 0.2f));
    }

    @Test
    void geglu() {
        new GradientCheck(64).input(2, 3, 2).check((tape, in) -> GegluOp.geglu(tape, in.getFirst()));
        new GradientCheck(65).input(1, 4, 14).check((tape, in) -> GegluOp.geglu(tape, in.getFirst()));
    }

    @Test
    void addPerSample() {
        new GradientCheck(70)
                .input(2, 5, 3)
                .input(2, 1, 3)
                .check((tape, in) -> AddPerSampleOp.addPerSample(tape, in.get(0), in.get(1)));
        new GradientCheck(71)
                .constant(2, 5, 3)
                .input(2, 1, 3)
                .check((tape, in) -> AddPerSampleOp.addPerSample(tape, in.get(0), in.get(1)));
    }

    @Test
    void reshapingOperations() {
        new GradientCheck(80).input(2, 5, 3).check((tape, in) -> MeanTokensOp.meanTokens(tape, in.getFirst()));
        new GradientCheck(81).input(2, 5, 3).check((tape, in) -> ReshapeOp.flatten(tape, in.getFirst()));
        new GradientCheck(85).input(2, 6, 4).check((tape, in) -> ReshapeOp.tokens(tape, in.getFirst(), 8));
        new GradientCheck(82)
                .input(2, 5, 3)
                .input(2, 5, 4)
                .check((tape, in) -> ConcatOp.concat(tape, in.get(0), in.get(1)));
        new GradientCheck(83)
                .input(2, 5, 3)
                .constant(2, 5, 4)
                .check((tape, in) -> ConcatOp.concat(tape, in.get(0), in.get(1)));
        new GradientCheck(84).input(2, 6, 3).check((tape, in) -> Upsample2xOp.upsample2x(tape, in.getFirst(), 2, 3));
    }

    @ParameterizedTest
    @ValueSource(floats = {1f, 0.25f})
    void losses(float scale) {
        new GradientCheck(90)
                .input(3, 4, 2)
                .constant(3, 4, 2)
                .checkLoss(scale, (tape, in) -> MeanSquaredErrorOp.meanSquaredError(tape, in.get(0), in.get(1), scale));
        new GradientCheck(91)
                .input(3, 1, 5)
                .checkLoss(
                        scale, (tape, in) -> CrossEntropyOp.crossEntropy(tape, in.getFirst(), indices(4, 0, 4), scale));
    }
}
