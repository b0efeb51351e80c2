package org.sapwood.synthesis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sapwood.autograd.ParameterVector;
import org.sapwood.diffusion.NoiseSchedule;
import org.sapwood.diffusion.TimestepSampler;
import org.sapwood.io.Safetensors;
import org.sapwood.nn.UNet;
import org.sapwood.tensor.BackendChoice;
import org.sapwood.tensor.Backends;

class LabelGradientScaleTest {
    private static final BackendChoice BACKEND = Backends.choose();
    private static final NoiseSchedule SCHEDULE = NoiseSchedule.named("linear");

    private static UNet model() {
        return PublicModel.forClasses(TinyModels.random(6, 3), 4);
    }

    private static int measure(UNet model, ParameterVector parameters, int draws, int threads) {
        return LabelGradientScale.measure(
                model,
                parameters,
                true,
                SCHEDULE,
                TimestepSampler.uniform(SCHEDULE.steps()),
                draws,
                0,
                BACKEND,
                threads);
    }

    private static ParameterVector everything(UNet model) {
        model.parameters().trainOnly(name -> true);
        return model.parameters().trainable();
    }

    @ParameterizedTest
    @CsvSource({
        "1, 1, 1",
        "9, 1, 1",
        "1, 0, 1", // half or more already
        "1, 4, 2",
        "0.0002, 0.9998, 64", // adapters of unet28, ADR 9
        "1e-12, 1, 4096", // the largest
        "0, 1, 1", // no gradient at all: no factor helps
    })
    void theFactorMakesAShareAboutOneHalf(double own, double others, int factor) {
        LabelGradientScale.Shares shares = new LabelGradientScale.Shares(new LabelSpan(0, 1), 2);
        shares.add(own, others);
        shares.add(Double.NaN, others);
        shares.add(0, 0);
        assertEquals(factor, shares.factorOfOneHalf());
    }

    /** A few examples with a large share do not speak for all: their mean share is what is looked at. */
    @Test
    void everyExampleCountsTheSame() {
        LabelGradientScale.Shares shares = new LabelGradientScale.Shares(new LabelSpan(0, 1), 2);
        shares.add(100, 1);
        shares.add(1, 4096);
        shares.add(1, 4096);
        shares.add(1, 4096);
        assertEquals(32, shares.factorOfOneHalf());
    }

    @Test
    void theMeasuredFactorIsTheOneThatTheModelNeeds() {
        UNet model = model();
        ParameterVector all = everything(model);
        int before = measure(model, all, 1, 1);
        // What an embedding adds to the loss per unit grows with the layer behind it.
        model.parameters().all().stream()
                .filter(p -> p.name().endsWith("time_emb_proj.weight"))
                .forEach(p -> {
                    for (int i = 0; i < p.size(); i++) {
                        p.value().array()[p.value().offset() + i] *= 0.125f;
                    }
                });
        int after = measure(model, all, 1, 1);
        assertTrue(before > 1, "this model's label gradients are small: " + before);
        assertTrue(after >= 4 * before, "an eighth of the gradient needs a larger factor: " + before + ", " + after);
    }

    @Test
    void threadsAndRepetitionChangeNothing() {
        UNet model = model();
        ParameterVector all = everything(model);
        int once = measure(model, all, 2, 1);
        assertEquals(once, measure(model, all, 2, 3));
        assertEquals(once, measure(model, all, 2, 2));
    }

    @Test
    void withoutLabelsThereIsNoFactor() {
        UNet model = model();
        model.parameters().trainOnly(name -> !UNet.isLabelEmbedder(name));
        assertEquals(1, measure(model, model.parameters().trainable(), 1, 1));
    }

    @Test
    void aRunTakesOneFactor(@TempDir Path temp) {
        TrainOptions options = TinyModels.with(
                TinyModels.options(
                        Method.DP_DIFFUSION,
                        SelectionRule.ALL,
                        TinyModels.publicModel(temp.resolve("public")),
                        3,
                        4,
                        OptionalLong.of(5)),
                "labelGradientScale",
                "auto");
        float[] auto = labels(options, temp.resolve("auto"));
        List<Integer> same = new ArrayList<>();
        for (int scale = 1; scale <= 4096; scale *= 2) {
            TrainOptions fixed = TinyModels.with(options, "labelGradientScale", scale);
            if (Arrays.equals(labels(fixed, temp.resolve("fixed-" + scale)), auto)) {
                same.add(scale);
            }
        }
        assertEquals(1, same.size(), "exactly one factor gives these label embeddings");
        assertTrue(same.getFirst() > 1, "and it is one that the labels need: " + same);
    }

    /** Where each parameter has a bound of its own, a small gradient stays small without a factor. */
    @Test
    void layerWiseClippingHasItToo(@TempDir Path temp) {
        TrainOptions options = TinyModels.with(
                TinyModels.options(TinyModels.publicModel(temp.resolve("public")), OptionalLong.of(5)),
                "clipping",
                "LAYER_WISE");
        options = TinyModels.with(options, "clipNorm", 1000.0);
        float[] small = labels(TinyModels.with(options, "labelGradientScale", 1), temp.resolve("1"));
        float[] large = labels(TinyModels.with(options, "labelGradientScale", 4096), temp.resolve("4096"));
        assertFalse(Arrays.equals(small, large));
    }

    private static float[] labels(TrainOptions options, Path out) {
        Path checkpoint = FineTuning.start(options, out, BACKEND, 1, ProgressListener.SILENT)
                .folder()
                .newestCheckpoint()
                .orElseThrow()
                .path();
        return Safetensors.read(checkpoint).require("class_embedding.weight").toFloats();
    }
}
