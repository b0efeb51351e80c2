package org.sapwood.tensor.tck;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Backends;
import org.sapwood.tensor.Tensor;

/** Hashes of the bits that every primitive computes here, to compare one JVM with another. */
final class BitDigest {
    /** Cases of this many elements are large enough for every kernel's main loop and small enough for an interpreter. */
    private static final int SMALLEST = 300;

    private static final int LARGEST = 4000;

    private static final int CASES_PER_OP = 3;

    private BitDigest() {}

    /** Prints one line per backend and primitive. */
    public static void main(String[] args) {
        lines(1).forEach(System.out::println);
    }

    /** Hashes of the last of {@code repetitions} identical calls on every backend of the host, as {@code "backend primitive hash"}. */
    static List<String> lines(int repetitions) {
        return Backends.names().stream()
                .filter(name -> Backends.unavailable(name) == null)
                // What a device computes was compiled long before.
                .filter(name -> !name.equals("cuda"))
                .flatMap(name -> hashes(name, repetitions).entrySet().stream()
                        .map(hash -> name + " " + hash.getKey() + " " + Integer.toHexString(hash.getValue())))
                .toList();
    }

    private static Map<String, Integer> hashes(String backendName, int repetitions) {
        Map<String, Integer> hashes = new TreeMap<>();
        try (Backend backend = Backends.choose(backendName).open()) {
            BackendConformanceTest.casesByOp().forEach((op, cases) -> {
                int[] perCase = cases.stream()
                        .filter(opCase -> opCase.size() >= SMALLEST && opCase.size() <= LARGEST)
                        .limit(CASES_PER_OP)
                        .mapToInt(opCase -> hash(backend, opCase, repetitions))
                        .toArray();
                hashes.put(op, Arrays.hashCode(perCase));
            });
            hashes.put("squaredNorms", hashOfNorms(backend, repetitions));
        }
        return hashes;
    }

    private static int hash(Backend backend, OpCase opCase, int repetitions) {
        Data data = opCase.data(1);
        int hash = 0;
        for (int i = 0; i < repetitions; i++) {
            hash = Execution.run(backend, data).values().stream()
                    .mapToInt(Arrays::hashCode)
                    .reduce(0, (sum, next) -> 31 * sum + next);
        }
        return hash;
    }

    private static int hashOfNorms(Backend backend, int repetitions) {
        Random random = new Random(1);
        float[] values = new float[4 * 207];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        double[] norms = new double[4];
        for (int i = 0; i < 10 * repetitions; i++) {
            backend.squaredNorms(Tensor.of(values, 4, 207), 1, 205, norms);
        }
        return Arrays.hashCode(norms);
    }
}
