package org.sapwood.autograd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.sapwood.autograd.GradientPlan.Choice;
import org.sapwood.autograd.GradientPlan.Layer;

/** Which gradients are kept, and what the others cost, against numbers worked out by hand. */
@Tag("no-vector")
class GradientPlanTest {
    private final Parameter tall = parameter("tall", 100, 50);
    private final Parameter deep = parameter("deep", 200, 300);
    private final Parameter wide = parameter("wide", 40, 40);
    private final Parameter bias = parameter("bias", 30);
    private final ParameterVector vector = ParameterVector.ofTrainable(List.of(tall, deep, bias, wide));

    /** T is 10, 60 and 1000, the last more than the 40 rows of its matrix. */
    private final List<WeightUse> uses = List.of(
            new WeightUse(wide, 1000, 40, 40, true),
            new WeightUse(tall, 10, 50, 100, true),
            new WeightUse(deep, 60, 300, 200, true));

    private static Parameter parameter(String name, int... extents) {
        return SmallNet.parameter(name, DiskLayout.SAME, 1, extents);
    }

    private List<Choice> choices(int draws, long rowBytes) {
        return GradientPlan.of(vector, uses, draws, rowBytes).layers().stream()
                .map(Layer::choice)
                .toList();
    }

    @Test
    void costsAreThoseOfTheFormulas() {
        LayerCost cost = new LayerCost(10, 50, 100);
        assertEquals(2 * 10 * 5000 + 2 * 5000, cost.materialise());
        assertEquals(2 * 100 * 150 + 2 * 100 + 2 * 10 * 5000 + 2 * 5000, cost.ghost());
        assertEquals(2 * cost.materialise(), cost.instantiate());
        assertEquals(4 * 5000, cost.rowBytes());
        assertEquals(4 * 10 * 100, cost.keptBytes());
    }

    @Test
    void whatFitsIsKept() {
        assertEquals(
                List.of(Choice.MATERIALISE, Choice.MATERIALISE, Choice.MATERIALISE, Choice.MATERIALISE),
                choices(1, 4L * vector.size()));
        assertTrue(GradientPlan.of(vector, uses, 1, 4L * vector.size()).keepsAll());
    }

    /** tall saves 16,000 bytes for 30,200 FLOPs; deep 192,000 for 3,607,200 as a ghost, which beats 7,320,000. */
    @Test
    void mostBytesPerFlopGoFirst() {
        assertEquals(
                List.of(Choice.GHOST, Choice.MATERIALISE, Choice.MATERIALISE, Choice.MATERIALISE),
                choices(1, 4L * vector.size() - 1));
        assertEquals(
                List.of(Choice.GHOST, Choice.MATERIALISE, Choice.MATERIALISE, Choice.MATERIALISE),
                choices(1, 4L * vector.size() - 16_000));
        assertEquals(
                List.of(Choice.GHOST, Choice.GHOST, Choice.MATERIALISE, Choice.MATERIALISE),
                choices(1, 4L * vector.size() - 16_001));
    }

    /** Neither a bias nor a matrix with more tokens than rows saves anything. */
    @Test
    void whatSavesNothingIsKeptWhateverTheAllowance() {
        GradientPlan plan = GradientPlan.of(vector, uses, 1, 0);
        assertEquals(
                List.of(Choice.GHOST, Choice.GHOST, Choice.MATERIALISE, Choice.MATERIALISE),
                plan.layers().stream().map(Layer::choice).toList());
        assertFalse(plan.keepsAll());
        assertEquals(4 * (10 * 100 + 60 * 200 + 30 + 1600), plan.bytesPerExample());
        assertEquals(2 * 100 * 150 + 200 + 2 * 3600 * 500 + 7200, plan.extraFlops());
    }

    /** Draws of an example are tokens: with four, there are too many for Gram matrices, with 300 more than the matrices have rows. */
    @Test
    void drawsCountAsTokens() {
        assertEquals(
                List.of(Choice.INSTANTIATE, Choice.INSTANTIATE, Choice.MATERIALISE, Choice.MATERIALISE), choices(4, 0));
        assertEquals(
                List.of(Choice.MATERIALISE, Choice.MATERIALISE, Choice.MATERIALISE, Choice.MATERIALISE),
                choices(300, 0));
    }

    @Test
    void whatIsNoMatrixUsedOnceIsKept() {
        WeightUse again = new WeightUse(deep, 1, 300, 200, true);
        GradientPlan plan = GradientPlan.of(vector, List.of(uses.get(1), uses.get(2), again), 1, 0);
        assertEquals(Choice.MATERIALISE, plan.layers().get(1).choice());
        assertThrows(IllegalArgumentException.class, () -> plan.with(1, Choice.GHOST));
        assertThrows(IllegalArgumentException.class, () -> plan.with(2, Choice.GHOST));
        WeightUse frozen = new WeightUse(deep, 60, 300, 200, false);
        assertTrue(GradientPlan.of(vector, List.of(frozen), 1, 0).keepsAll());
    }

    @Test
    void aThirdUseDoesNotLookLikeAFirst() {
        GradientPlan plan = GradientPlan.of(vector, List.of(uses.get(2), uses.get(2), uses.get(2)), 1, 0);
        assertTrue(plan.keepsAll());
    }
}
