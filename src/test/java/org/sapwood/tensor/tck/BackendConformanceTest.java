package org.sapwood.tensor.tck;

import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.BackendChoice;
import org.sapwood.tensor.Backends;
import org.sapwood.tensor.scalar.ScalarBackend;

/**
 * Holds every backend that runs here to the laws of {@link Backend}. A backend that cannot run is reported and counted
 * as skipped; {@code SAPWOOD_REQUIRE_BACKENDS=simd,…} turns that into a failure.
 */
class BackendConformanceTest {
    private static final String REQUIRED = "SAPWOOD_REQUIRE_BACKENDS";

    /** Input scales at which every primitive must agree with its reference: ordinary, all zero, denormal. */
    private static final double[] FACTORS = {1, 0, 1e-39};

    /** Elements of a case beyond which only agreement on ordinary inputs and independence are checked, for speed. */
    private static final int SMALL = 20_000;

    private static final float[] NON_FINITE = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY};

    @TestFactory
    Stream<DynamicNode> conformance() {
        return Backends.names().stream().map(BackendConformanceTest::backend);
    }

    private static DynamicNode backend(String name) {
        String reason = Backends.unavailable(name);
        if (reason == null) {
            BackendChoice choice = Backends.choose(name);
            return dynamicContainer(name + " (" + choice.description() + ")", tests(choice));
        }
        return dynamicTest(name + " (unavailable)", () -> {
            String line = "1 backend not tested: " + name + ": " + reason;
            if (Arrays.asList(System.getenv().getOrDefault(REQUIRED, "").split(","))
                    .contains(name)) {
                throw new AssertionError(line + " (required by " + REQUIRED + ")");
            }
            System.out.println(line);
            abort(line);
        });
    }

    private static Stream<DynamicNode> tests(BackendChoice choice) {
        Stream<DynamicNode> primitives = casesByOp().entrySet().stream()
                .map(entry -> dynamicContainer(entry.getKey(), laws(choice, entry.getValue())));
        return Stream.concat(primitives, MemoryAndGridLaws.tests(choice));
    }

    static Map<String, List<OpCase>> casesByOp() {
        Map<String, List<OpCase>> cases = new LinkedHashMap<>();
        Stream.of(
                        BlasCases.cases(),
                        ConvolutionCases.cases(),
                        NormalizationCases.cases(),
                        LayerNormCases.cases(),
                        AttentionCases.cases(),
                        ElementwiseCases.cases(),
                        EmbeddingCases.cases(),
                        LossCases.cases(),
                        GaussianCases.cases(),
                        PrivateGradientCases.cases())
                .flatMap(List::stream)
                .forEach(opCase -> cases.computeIfAbsent(opCase.op(), op -> new ArrayList<>())
                        .add(opCase));
        return cases;
    }

    private static Stream<DynamicNode> laws(BackendChoice choice, List<OpCase> cases) {
        List<DynamicNode> laws = new ArrayList<>();
        laws.add(law("agrees with its reference", choice, cases, BackendConformanceTest::agreement));
        laws.add(law(
                "computes a sample from that sample alone",
                choice,
                where(cases, opCase -> opCase.samples() > 0),
                BackendConformanceTest::independence));
        laws.add(law(
                "gives the same bits wherever its operands stand", choice, cases, BackendConformanceTest::placement));
        List<OpCase> poisonable = where(cases, opCase -> opCase.size() <= SMALL && canBePoisoned(opCase));
        if (!poisonable.isEmpty()) {
            laws.add(law(
                    "keeps NaN and infinities in their sample", choice, poisonable, BackendConformanceTest::nonFinite));
        }
        List<OpCase> gradients = where(cases, opCase -> opCase.size() <= SMALL && opCase.hasGradient());
        if (!gradients.isEmpty()) {
            laws.add(law("adds finished samples to a row in order", choice, gradients, BackendConformanceTest::rows));
        }
        return laws.stream();
    }

    private static List<OpCase> where(List<OpCase> cases, Predicate<OpCase> condition) {
        return cases.stream().filter(condition).toList();
    }

    private interface Law {
        void check(Backend backend, OpCase opCase, Comparison comparison);
    }

    private static DynamicNode law(String name, BackendChoice choice, List<OpCase> cases, Law law) {
        return dynamicTest(name, () -> {
            Comparison comparison = new Comparison();
            try (Backend backend = choice.open()) {
                for (OpCase opCase : cases) {
                    try {
                        law.check(backend, opCase, comparison);
                    } catch (AssertionError | RuntimeException e) {
                        comparison.failed(opCase, e);
                    }
                }
            }
            comparison.finish();
        });
    }

    /** The scalar backend is held against the definition, every other backend against the scalar one. */
    private static void agreement(Backend backend, OpCase opCase, Comparison comparison) {
        for (double factor : opCase.size() <= SMALL ? FACTORS : new double[] {1}) {
            Data data = opCase.data(factor);
            Map<String, float[]> actual = Execution.run(backend, data);
            compareWithReference("inputs x " + factor, backend, data, actual, opCase.isDefined(), comparison);
        }
    }

    private static void compareWithReference(
            String what,
            Backend backend,
            Data data,
            Map<String, float[]> actual,
            boolean defined,
            Comparison comparison) {
        OpCase opCase = data.opCase();
        boolean scalar = backend.name().equals("scalar");
        if (scalar && !defined) {
            return;
        }
        Map<String, double[]> expected = scalar ? opCase.expected(data) : reference(data);
        for (Operand operand : outputs(opCase)) {
            comparison.close(what, data, operand, get(expected, operand), get(actual, operand));
        }
    }

    private static Map<String, double[]> reference(Data data) {
        Map<String, double[]> wide = new LinkedHashMap<>();
        try (Backend scalar = new ScalarBackend()) {
            Execution.run(scalar, data)
                    .forEach((name, values) -> wide.put(
                            name,
                            IntStream.range(0, values.length)
                                    .mapToDouble(i -> values[i])
                                    .toArray()));
        }
        return wide;
    }

    /** A sample has the same bits alone, at every position, and in a batch of twice the size. */
    private static void independence(Backend backend, OpCase opCase, Comparison comparison) {
        Data data = opCase.data(1);
        Map<String, float[]> whole = Execution.run(backend, data);
        for (int[] batch : rearrangements(opCase.samples())) {
            Map<String, float[]> part = Execution.run(backend, data, batch);
            for (Operand operand : outputs(opCase)) {
                int chunk = operand.chunk();
                for (int i = 0; i < batch.length; i++) {
                    String what = "sample " + batch[i] + " as number " + i + " of " + batch.length;
                    comparison.same(
                            what,
                            opCase,
                            operand,
                            get(whole, operand),
                            batch[i] * chunk,
                            get(part, operand),
                            i * chunk);
                }
            }
        }
    }

    /** Whole vectors or single values, at once or in parts: the order of a sum is the same. */
    private static void placement(Backend backend, OpCase opCase, Comparison comparison) {
        Data data = opCase.data(1);
        Map<String, float[]> expected = Execution.run(backend, data);
        Map<String, float[]> actual = Execution.runAligned(backend, data);
        for (Operand operand : outputs(opCase)) {
            float[] values = get(expected, operand);
            for (int at = 0; at < values.length; at += operand.chunk()) {
                comparison.same("aligned, from " + at, opCase, operand, values, at, get(actual, operand), at);
            }
        }
    }

    private static List<int[]> rearrangements(int samples) {
        int[] reversed = IntStream.range(0, samples).map(i -> samples - 1 - i).toArray();
        int[] twice = IntStream.range(0, 2 * samples).map(i -> i % samples).toArray();
        return List.of(
                new int[] {0},
                new int[] {samples / 2},
                new int[] {samples - 1, 0},
                new int[] {samples - 1},
                reversed,
                twice);
    }

    /** NaN or an infinity in one sample appears where the reference has it, and changes no bit of other samples. */
    private static void nonFinite(Backend backend, OpCase opCase, Comparison comparison) {
        Data clean = opCase.data(1);
        Map<String, float[]> undisturbed = Execution.run(backend, clean);
        int poisoned = opCase.samples() / 2;
        for (Operand input : opCase.operands()) {
            if (!canBePoisoned(input)) {
                continue;
            }
            for (int kind = 0; kind < NON_FINITE.length; kind++) {
                int index = poisoned * input.chunk() + input.chunk() * (kind + 1) / (NON_FINITE.length + 1);
                Data data = clean.with(input.name(), index, NON_FINITE[kind]);
                String what = input.name() + "[" + index + "] = " + NON_FINITE[kind];
                Map<String, float[]> disturbed = Execution.run(backend, data);
                compareWithReference(what, backend, data, disturbed, opCase.isDefinedForNonFinite(), comparison);
                for (Operand operand : outputs(opCase)) {
                    int chunk = operand.chunk();
                    for (int sample = 0; sample < opCase.samples(); sample++) {
                        if (sample != poisoned) {
                            comparison.same(
                                    what + ", sample " + sample,
                                    opCase,
                                    operand,
                                    get(undisturbed, operand),
                                    sample * chunk,
                                    get(disturbed, operand),
                                    sample * chunk);
                        }
                    }
                }
            }
        }
    }

    private static boolean canBePoisoned(OpCase opCase) {
        return opCase.operands().stream().anyMatch(BackendConformanceTest::canBePoisoned);
    }

    private static boolean canBePoisoned(Operand operand) {
        return operand.role() == Operand.Role.INPUT && operand.perSample() && operand.derivation() == null;
    }

    /** With K samples per row, a row is its samples' own gradients added one after the other, to the bit. */
    private static void rows(Backend backend, OpCase opCase, Comparison comparison) {
        Data data = opCase.data(1);
        Map<String, float[]> own = Execution.runRows(backend, data, 1, false);
        for (int samplesPerRow = 1; samplesPerRow <= opCase.samples(); samplesPerRow++) {
            for (boolean accumulate : new boolean[] {false, true}) {
                Map<String, float[]> rows = Execution.runRows(backend, data, samplesPerRow, accumulate);
                String what = samplesPerRow + " samples per row" + (accumulate ? ", accumulating" : "");
                for (Operand operand : gradients(opCase)) {
                    int chunk = operand.chunk();
                    float[] before = data.get(operand.name());
                    float[] expected = sums(before, get(own, operand), chunk, samplesPerRow, accumulate);
                    for (int at = 0; at < expected.length; at += chunk) {
                        comparison.same(what, opCase, operand, expected, at, get(rows, operand), at);
                    }
                }
            }
        }
    }

    private static float[] sums(float[] before, float[] own, int chunk, int samplesPerRow, boolean accumulate) {
        int samples = own.length / chunk;
        float[] rows = new float[(samples + samplesPerRow - 1) / samplesPerRow * chunk];
        for (int i = 0; i < own.length; i++) {
            int sample = i / chunk;
            int at = sample / samplesPerRow * chunk + i % chunk;
            boolean first = sample % samplesPerRow == 0;
            if (first && !accumulate) {
                rows[at] = own[i];
            } else {
                rows[at] = (first ? before[i] : rows[at]) + own[i];
            }
        }
        return rows;
    }

    private static List<Operand> gradients(OpCase opCase) {
        return opCase.operands().stream()
                .filter(operand -> operand.role() == Operand.Role.GRADIENT)
                .toList();
    }

    private static List<Operand> outputs(OpCase opCase) {
        return opCase.operands().stream().filter(operand -> !operand.isInput()).toList();
    }

    private static <T> T get(Map<String, T> results, Operand operand) {
        return Objects.requireNonNull(results.get(operand.name()), operand.name());
    }
}
