package org.sapwood.synthesis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.sapwood.autograd.WeightUse;
import org.sapwood.diffusion.DenoisingTape;
import org.sapwood.nn.UNet;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Backends;
import org.sapwood.tensor.scalar.ScalarBackend;

/** What {@code --explain} says of a model is what its tape would do. */
class GradientExplanationTest {
    private static final UNet MODEL = TinyModels.random(11, 4);

    private static GradientExplanation explain(int draws, long rowBytes) {
        return GradientExplanation.of(
                (backend, arena, images, scale) ->
                        DenoisingTape.forTraining(backend, arena, MODEL, images, true, scale),
                MODEL.parameters().trainable(),
                draws,
                0,
                Backends.choose("scalar"),
                rowBytes);
    }

    @Test
    void everyTrainedMatrixHasItsLine() {
        GradientExplanation explanation = explain(1, 0);
        List<String> lines = explanation.lines();
        long matrices = MODEL.parameters().all().stream()
                .filter(p -> p.value().shape().rank() > 1 && !p.name().contains("embedding.weight"))
                .peek(p -> assertEquals(
                        1,
                        lines.stream().filter(l -> l.startsWith(p.name() + " ")).count(),
                        p.name()))
                .count();
        // Two heads, one line for the rest, an empty one and four of totals.
        assertEquals(matrices + 8, lines.size());
        assertEquals(
                MODEL.parameters().all().size(),
                JsonFields.list(explanation.toJson(), "parameters").size());
        String time = lines.stream()
                .filter(l -> l.startsWith("time_embedding.linear_2.weight"))
                .findFirst()
                .orElseThrow();
        assertTrue(time.matches("\\S+ +1 +32 +32 .* ghost .*"), time);
    }

    @Test
    void theStepCountsEveryProductThreeTimes() {
        double forward;
        try (Backend backend = new ScalarBackend()) {
            forward = DenoisingTape.forTraining(backend, Arena.measuring(), MODEL, 1, true, 1).weightUses().stream()
                    .mapToDouble(WeightUse::flops)
                    .sum();
        }
        assertEquals(3 * forward, explain(1, 0).stepFlops());
        assertEquals(6 * forward, explain(2, 0).stepFlops());
        assertEquals(0, explain(1, Long.MAX_VALUE).extraShare());
        assertTrue(explain(1, 0).extraShare() > 0);
    }

    @Test
    void aFrozenMatrixCostsTwoProductsAndNoLine() {
        UNet model = TinyModels.random(11, 4);
        model.parameters().trainOnly(name -> name.startsWith("time_embedding"));
        GradientExplanation explanation = GradientExplanation.of(model, 1, 0, Backends.choose("scalar"));
        assertTrue(explanation.stepFlops() < explain(1, 0).stepFlops());
        assertTrue(explanation.stepFlops() > explain(1, 0).stepFlops() * 2 / 3);
        assertEquals(4, explanation.plan().layers().size());
        assertTrue(explanation.plan().keepsAll());
        assertEquals(8, explanation.microBatch());
    }

    @Test
    void drawsThatTakeSeveralPassesAreSaidToBeKept() {
        GradientExplanation explanation = explain(12, 0);
        assertEquals(1, explanation.microBatch());
        assertTrue(explanation.lines().stream().anyMatch(l -> l.contains("draws of several passes add to one row")));
    }
}
