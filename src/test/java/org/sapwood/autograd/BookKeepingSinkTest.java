package org.sapwood.autograd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sapwood.autograd.BookKeepingSink.NormFinder;
import org.sapwood.autograd.GradientPlan.Choice;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Backends;
import org.sapwood.tensor.Tensor;
import org.sapwood.tensor.scalar.ScalarBackend;

/** Gradients that are not kept give the norms and the sums of those that are; and whatever a norm claims, the clip holds. */
@Tag("no-vector")
class BookKeepingSinkTest {
    private static final double STEP = 0x1p-24;

    private final Backend backend = new ScalarBackend();

    @AfterEach
    void close() {
        backend.close();
    }

    /** Kernel, weight and LoRA factors of {@link SmallNet}, each obtained in every way. */
    private static Stream<List<Choice>> mixes() {
        List<List<Choice>> mixes = new ArrayList<>();
        for (Choice choice : Choice.values()) {
            mixes.add(List.of(choice, choice, choice, choice));
        }
        mixes.add(List.of(Choice.GHOST, Choice.MATERIALISE, Choice.INSTANTIATE, Choice.GHOST));
        mixes.add(List.of(Choice.MATERIALISE, Choice.INSTANTIATE, Choice.GHOST, Choice.MATERIALISE));
        return mixes.stream();
    }

    private static GradientPlan plan(SmallNet net, List<WeightUse> uses, int draws, List<Choice> mix) {
        ParameterVector vector = net.vector();
        GradientPlan plan = GradientPlan.of(vector, uses, draws, Long.MAX_VALUE);
        List<Parameter> matrices = List.of(net.kernel, net.weight, net.a, net.b);
        for (int i = 0; i < mix.size(); i++) {
            plan = plan.with(vector.position(matrices.get(i)), mix.get(i));
        }
        return plan;
    }

    private BookKeepingSink sink(SmallNet net, Arena arena, GradientPlan plan, int examples, NormFinder ghost) {
        return new BookKeepingSink(backend, arena, net.vector(), plan, examples, ghost);
    }

    private static void run(SmallNet.Replay replay, ExampleSink sink) {
        sink.clear();
        replay.run(sink);
        sink.finish();
    }

    private static double[] norms(ExampleGradients gradients, int size) {
        double[] norms = new double[gradients.examples()];
        gradients.squaredNorms(0, size, norms);
        return norms;
    }

    private static long[] sum(ExampleGradients gradients, int size, float... scales) {
        long[] sums = new long[size];
        gradients.addTo(sums, 0, size, scales);
        return sums;
    }

    @ParameterizedTest
    @MethodSource("mixes")
    void everyMixGivesTheSumsAndNormsOfTheRows(List<Choice> mix) {
        SmallNet net = new SmallNet();
        int size = net.vector().size();
        float[] scales = {(float) (1 / STEP), (float) (0.37 / STEP), (float) (0.001 / STEP)};
        for (int draws : new int[] {1, 2}) {
            Arena arena = new Arena(backend);
            SmallNet.Replay replay = net.new Replay(backend, arena, 3 * draws);
            PerSampleSink rows = new PerSampleSink(backend, arena, net.vector(), 3, draws);
            BookKeepingSink sink =
                    new BookKeepingSink(backend, arena, net.vector(), plan(net, replay.weightUses(), draws, mix), 3);
            // Twice, so that something stale would show.
            for (int first : new int[] {20, 0}) {
                replay.setAll(first);
                run(replay, rows);
                run(replay, sink);
            }
            RowGradients expected = new RowGradients(backend, rows.matrix());
            double[] exact = norms(expected, size);
            double[] claimed = norms(sink, size);
            for (int i = 0; i < 3; i++) {
                assertEquals(exact[i], claimed[i], 2e-4 * exact[i], mix + ", " + draws + " draws, example " + i);
                assertTrue(claimed[i] >= exact[i] * (1 - 1e-12), "ordinary gradients are not under-read");
            }
            assertArrayEquals(sum(expected, size, scales), sum(sink, size, scales), mix + ", " + draws + " draws");
        }
    }

    /** Groups of parameters have norms and scales of their own: stretches may be asked for one by one. */
    @Test
    void stretchesAddUp() {
        SmallNet net = new SmallNet();
        ParameterVector vector = net.vector();
        Arena arena = new Arena(backend);
        SmallNet.Replay replay = net.new Replay(backend, arena, 2);
        List<Choice> mix = List.of(Choice.INSTANTIATE, Choice.MATERIALISE, Choice.INSTANTIATE, Choice.MATERIALISE);
        PerSampleSink rows = new PerSampleSink(backend, arena, vector, 2, 1);
        BookKeepingSink sink = new BookKeepingSink(backend, arena, vector, plan(net, replay.weightUses(), 1, mix), 2);
        replay.setAll(0);
        run(replay, rows);
        run(replay, sink);
        RowGradients expected = new RowGradients(backend, rows.matrix());
        double[] exact = new double[2];
        double[] claimed = new double[2];
        for (int i = 0; i < vector.parameters().size(); i++) {
            int from = vector.offset(i);
            int length = vector.parameters().get(i).size();
            expected.squaredNorms(from, length, exact);
            sink.squaredNorms(from, length, claimed);
            assertArrayEquals(exact, claimed, "norm of parameter " + i);
            long[] ofRows = new long[vector.size()];
            long[] ofSink = new long[vector.size()];
            expected.addTo(ofRows, from, length, new float[] {1e6f, 3e5f});
            sink.addTo(ofSink, from, length, new float[] {1e6f, 3e5f});
            assertArrayEquals(ofRows, ofSink, "sum of parameter " + i);
            assertTrue(Arrays.stream(ofSink).anyMatch(unit -> unit != 0));
        }
    }

    /** The memory of output gradients is used again by the tape before they are asked for. */
    @Test
    void outputGradientsOutliveTheBackwardPass() {
        for (int seed = 0; seed < 30; seed++) {
            RandomGraph graph = new RandomGraph(seed, 25);
            Arena arena = new Arena(backend);
            Tape tape = Tape.forTraining(backend, arena);
            List<Variable> variables = new ArrayList<>(List.of(tape.input(RandomGraph.SHAPE)));
            for (RandomGraph.Step step : graph.steps) {
                variables.add(step.record(
                        tape, step.from().stream().map(variables::get).toList()));
            }
            tape.seal();
            ParameterVector vector = ParameterVector.ofTrainable(graph.parameters);
            GradientPlan plan = GradientPlan.of(vector, tape.weightUses(), 1, Long.MAX_VALUE);
            for (int i = 0; i < plan.layers().size(); i++) {
                if (plan.layers().get(i).cost() != null) {
                    plan = plan.with(i, Choice.INSTANTIATE);
                }
            }
            PerSampleSink rows = new PerSampleSink(backend, arena, vector, 2, 1);
            BookKeepingSink made = new BookKeepingSink(backend, arena, vector, plan, 2);
            for (ExampleSink sink : List.of(rows, made)) {
                backend.upload(
                        SmallNet.normals(RandomGraph.SIZE, seed),
                        0,
                        variables.getFirst().value());
                tape.forward();
                Variable last = variables.getLast();
                if (last.requiresGradient()) {
                    backend.upload(SmallNet.normals(RandomGraph.SIZE, 77), 0, last.gradient());
                    sink.clear();
                    tape.backward(sink);
                } else {
                    sink.clear();
                }
                sink.finish();
            }
            float[] scales = {1e5f, 1e4f};
            assertArrayEquals(
                    sum(new RowGradients(backend, rows.matrix()), vector.size(), scales),
                    sum(made, vector.size(), scales),
                    "seed " + seed);
        }
    }

    /** What is added is measured again: a norm that under-reads by any amount does not lengthen the contribution. */
    @Test
    void anUnderReadNormDoesNotExceedTheBound() {
        double clipNorm = 0.25;
        SmallNet net = new SmallNet();
        int size = net.vector().size();
        List<Choice> ghosts = List.of(Choice.GHOST, Choice.GHOST, Choice.GHOST, Choice.GHOST);
        for (double part : new double[] {0.98, 0.5, 1e-6, 0}) {
            Arena arena = new Arena(backend);
            SmallNet.Replay replay = net.new Replay(backend, arena, 1);
            GhostNorm honest = new GhostNorm(backend, arena, 9, 9 * 27);
            NormFinder wrong = (x, dy, alpha, geometry) -> part * honest.squared(x, dy, alpha, geometry);
            BookKeepingSink sink = sink(net, arena, plan(net, replay.weightUses(), 1, ghosts), 1, wrong);
            replay.setAll(3);
            run(replay, sink);
            double claimed = Math.sqrt(norms(sink, size)[0]);
            assertTrue(claimed > 2 * clipNorm, "the example must be clipped");
            long[] units = sum(sink, size, Math.nextDown((float) (clipNorm / claimed / STEP)));
            double norm = Math.sqrt(
                    Arrays.stream(units).mapToDouble(u -> u * STEP * (u * STEP)).sum());
            double rounding = Math.sqrt(size) * STEP / 2;
            assertTrue(norm <= clipNorm + rounding, part + " of the norm claimed: contribution " + norm);
            assertEquals(clipNorm, norm, part > 0.9 ? 1e-3 : clipNorm);
        }
    }

    @Test
    void aNormThatCannotBeFoundIsTakenOfTheGradient() {
        SmallNet net = new SmallNet();
        int size = net.vector().size();
        Arena arena = new Arena(backend);
        SmallNet.Replay replay = net.new Replay(backend, arena, 2);
        PerSampleSink rows = new PerSampleSink(backend, arena, net.vector(), 2, 1);
        List<Choice> ghosts = List.of(Choice.GHOST, Choice.GHOST, Choice.GHOST, Choice.GHOST);
        NormFinder unable = (x, dy, alpha, geometry) -> Double.NaN;
        BookKeepingSink sink = sink(net, arena, plan(net, replay.weightUses(), 1, ghosts), 2, unable);
        replay.setAll(0);
        run(replay, rows);
        run(replay, sink);
        double[] exact = norms(new RowGradients(backend, rows.matrix()), size);
        assertArrayEquals(exact, norms(sink, size), 1e-12 * exact[0]);
    }

    /** A tensor that was overwritten after its norm was taken is caught as well. */
    @Test
    void aChangedInputDoesNotExceedTheBound() {
        double clipNorm = 0.25;
        SmallNet net = new SmallNet();
        int size = net.vector().size();
        Arena arena = new Arena(backend);
        SmallNet.Replay replay = net.new Replay(backend, arena, 1);
        List<Choice> anew = List.of(Choice.INSTANTIATE, Choice.MATERIALISE, Choice.MATERIALISE, Choice.MATERIALISE);
        BookKeepingSink sink =
                new BookKeepingSink(backend, arena, net.vector(), plan(net, replay.weightUses(), 1, anew), 1);
        replay.setAll(3);
        run(replay, sink);
        double claimed = Math.sqrt(norms(sink, size)[0]);
        backend.scale(replay.input(), 40f, replay.input(), false);
        long[] units = sum(sink, size, Math.nextDown((float) (clipNorm / claimed / STEP)));
        double norm = Math.sqrt(
                Arrays.stream(units).mapToDouble(u -> u * STEP * (u * STEP)).sum());
        assertTrue(norm <= clipNorm + Math.sqrt(size) * STEP / 2, "contribution " + norm);
    }

    /** In exact arithmetic: limited² · actual ≤ scale² · claimed. */
    @Test
    void aLimitedScaleNeverExceedsTheClaim() {
        SplittableRandom random = new SplittableRandom(5);
        for (int i = 0; i < 20_000; i++) {
            float scale = (float) Math.exp(40 * random.nextDouble() - 20);
            double claimed = Math.exp(60 * random.nextDouble() - 30);
            double over = i % 2 == 0 ? Math.exp(-40 * random.nextDouble()) : 0x1p-50 * random.nextInt(1, 9);
            double actual = claimed * (1 + over);
            float limited = BookKeepingSink.limited(scale, claimed, actual);
            BigDecimal added = new BigDecimal(limited).pow(2).multiply(new BigDecimal(actual));
            BigDecimal allowed = new BigDecimal(scale).pow(2).multiply(new BigDecimal(claimed));
            assertTrue(added.compareTo(allowed) <= 0, scale + ", " + claimed + ", " + actual);
            assertEquals(scale * Math.sqrt(claimed / actual), limited, 3e-7 * scale);
        }
        assertEquals(7f, BookKeepingSink.limited(7f, 2, 2));
        assertEquals(7f, BookKeepingSink.limited(7f, 2, 1));
        assertEquals(0f, BookKeepingSink.limited(7f, 0, 1e-300));
        assertEquals(0f, BookKeepingSink.limited(7f, 2, Double.NaN));
        assertEquals(0f, BookKeepingSink.limited(7f, 2, Double.POSITIVE_INFINITY));
    }

    @ParameterizedTest
    @MethodSource("mixes")
    void anExampleOfNaNsSpoilsItselfOnly(List<Choice> mix) {
        SmallNet net = new SmallNet();
        int size = net.vector().size();
        Arena arena = new Arena(backend);
        SmallNet.Replay replay = net.new Replay(backend, arena, 3);
        BookKeepingSink sink =
                new BookKeepingSink(backend, arena, net.vector(), plan(net, replay.weightUses(), 1, mix), 3);
        replay.setAll(0);
        run(replay, sink);
        double[] before = norms(sink, size);
        backend.fill(replay.input().slice(1, 2), Float.NaN);
        run(replay, sink);
        double[] after = norms(sink, size);
        assertEquals(before[0], after[0]);
        assertEquals(before[2], after[2]);
        assertFalse(after[1] < Double.POSITIVE_INFINITY, "norm " + after[1]);
        assertArrayEquals(new long[size], sum(sink, size, 0, 0, 0));
    }

    @Test
    void aMatrixThatNothingUsedAddsNothing() {
        SmallNet net = new SmallNet();
        int size = net.vector().size();
        Arena arena = new Arena(backend);
        SmallNet.Replay replay = net.new Replay(backend, arena, 1);
        List<Choice> anew = List.of(Choice.INSTANTIATE, Choice.INSTANTIATE, Choice.INSTANTIATE, Choice.INSTANTIATE);
        BookKeepingSink sink =
                new BookKeepingSink(backend, arena, net.vector(), plan(net, replay.weightUses(), 1, anew), 1);
        replay.setAll(0);
        run(replay, sink);
        sink.clear();
        sink.finish();
        assertEquals(0, norms(sink, size)[0]);
        assertArrayEquals(new long[size], sum(sink, size, 1e6f));
    }

    /** Only single uses can be made anew: the plan keeps the others, and the sink refuses what the plan did not know. */
    @Test
    void aTiedMatrixIsKeptOrRefused() {
        Parameter tied = SmallNet.parameter("tied", DiskLayout.SAME, 1, 3, 3);
        Arena arena = new Arena(backend);
        Tape tape = Tape.forTraining(backend, arena);
        Variable x = tape.input(1, 4, 3);
        Variable y = LinearOp.linear(tape, LinearOp.linear(tape, x, tied, null, null), tied, null, null);
        tape.seal();
        ParameterVector vector = ParameterVector.ofTrainable(List.of(tied));
        assertTrue(GradientPlan.of(vector, tape.weightUses(), 1, 0).keepsAll());

        GradientPlan ignorant = GradientPlan.of(vector, tape.weightUses().subList(0, 1), 1, Long.MAX_VALUE)
                .with(0, Choice.INSTANTIATE);
        BookKeepingSink sink = new BookKeepingSink(backend, arena, vector, ignorant, 1);
        tape.forward();
        backend.fill(y.gradient(), 1f);
        sink.clear();
        IllegalStateException refusal = assertThrows(IllegalStateException.class, () -> tape.backward(sink));
        assertTrue(String.valueOf(refusal.getMessage()).contains("tied is used twice"));
    }

    /** On every backend of the host, as large as in practice: the sums of the rows, bit by bit. */
    @Test
    void everyBackendOfTheHostMakesTheSameBitsTwice() {
        for (String name : Backends.names()) {
            if (Backends.unavailable(name) != null) {
                continue;
            }
            try (Backend own = Backends.choose(name).open()) {
                if (own.isDevice()) {
                    continue;
                }
                SmallNet net = new SmallNet();
                int size = net.vector().size();
                Arena arena = new Arena(own);
                SmallNet.Replay replay = net.new Replay(own, arena, 4);
                List<Choice> mix = List.of(Choice.GHOST, Choice.INSTANTIATE, Choice.INSTANTIATE, Choice.GHOST);
                PerSampleSink rows = new PerSampleSink(own, arena, net.vector(), 2, 2);
                BookKeepingSink sink =
                        new BookKeepingSink(own, arena, net.vector(), plan(net, replay.weightUses(), 2, mix), 2);
                replay.setAll(0);
                run(replay, rows);
                run(replay, sink);
                assertArrayEquals(
                        sum(new RowGradients(own, rows.matrix()), size, 1e6f, 2e6f), sum(sink, size, 1e6f, 2e6f), name);
            }
        }
    }

    /** Rows that are not kept take no memory. */
    @Test
    void theArenaShrinksByTheRows() {
        Parameter weight = SmallNet.parameter("weight", DiskLayout.SAME, 1, 1000, 2000);
        ParameterVector vector = ParameterVector.ofTrainable(List.of(weight));
        List<WeightUse> uses = List.of(new WeightUse(weight, 4, 2000, 1000, true));
        long kept = bytes(vector, GradientPlan.of(vector, uses, 1, Long.MAX_VALUE));
        long anew = bytes(vector, GradientPlan.of(vector, uses, 1, 0));
        assertEquals(8 * 8e6, (double) kept, 0x1p22);
        assertEquals(8e6 + 8 * 16e3, (double) anew, 0x1p22);
    }

    private static long bytes(ParameterVector vector, GradientPlan plan) {
        Arena arena = Arena.measuring();
        try (Backend backend = new ScalarBackend()) {
            Tensor matrix = new BookKeepingSink(backend, arena, vector, plan, 8).matrix();
            assertEquals(8, matrix.dim(0));
        }
        return arena.bytes();
    }
}
