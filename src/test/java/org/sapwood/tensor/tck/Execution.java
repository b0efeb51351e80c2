package org.sapwood.tensor.tck;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.GradientRows;
import org.sapwood.tensor.Indices;
import org.sapwood.tensor.Shape;
import org.sapwood.tensor.Tensor;

/**
 * Makes one call with guarded operands. Every tensor stands between guards, at an odd offset if not said otherwise; a
 * guard, a coordinate of another parameter, or an input that changes its bits is an error. Guards and outputs that are to
 * be replaced hold NaN, so that reading them shows.
 */
final class Execution {
    private static final int GUARD_BITS = 0x7fc0abcd;
    private static final float GUARD = Float.intBitsToFloat(GUARD_BITS);
    private static final int GUARD_LENGTH = 33;

    /** 256 bytes, as device memory is aligned. */
    private static final int ALIGNED_GUARD = 64;

    /** Columns of other parameters on the left and on the right of a gradient. */
    private static final int COLUMN = 3;

    private final OpCase opCase;
    private final Data data;
    private final int[] samples;
    private final int samplesPerRow;
    private final boolean accumulateRows;
    private boolean aligned;

    /** An operand with its guards, and what all of that held before the call. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Placed(Operand operand, Tensor whole, float[] before) {}

    private Execution(Data data, int[] samples, int samplesPerRow, boolean accumulateRows) {
        this.opCase = data.opCase();
        this.data = data;
        this.samples = samples;
        this.samplesPerRow = samplesPerRow;
        this.accumulateRows = accumulateRows;
    }

    /** The outputs for the whole batch. */
    static Map<String, float[]> run(Backend backend, Data data) {
        return run(backend, data, everySample(data));
    }

    /** The same with tensors that start where whole vectors can be read and written. */
    static Map<String, float[]> runAligned(Backend backend, Data data) {
        Execution execution = new Execution(data, everySample(data), 1, false);
        execution.aligned = true;
        return execution.run(backend);
    }

    /** The outputs for a batch made of the given samples of {@code data}, in that order. */
    static Map<String, float[]> run(Backend backend, Data data, int[] samples) {
        return new Execution(data, samples, 1, false).run(backend);
    }

    /**
     * The outputs for the whole batch, with {@code samplesPerRow} samples to a row of gradients. With
     * {@code accumulateRows} a row holds beforehand what {@code data} has for the first of its samples.
     */
    static Map<String, float[]> runRows(Backend backend, Data data, int samplesPerRow, boolean accumulateRows) {
        return new Execution(data, everySample(data), samplesPerRow, accumulateRows).run(backend);
    }

    private static int[] everySample(Data data) {
        return IntStream.range(0, data.opCase().samples()).toArray();
    }

    private Map<String, float[]> run(Backend backend) {
        Random random = new Random(opCase.seed() + samples.length);
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        Map<String, Indices> indices = new LinkedHashMap<>();
        Map<String, GradientRows> gradients = new LinkedHashMap<>();
        List<Placed> placed = new ArrayList<>();
        for (Operand operand : opCase.operands()) {
            String alias = operand.alias();
            if (operand.role() == Operand.Role.INDICES) {
                indices.put(operand.name(), indices(operand));
            } else if (alias != null) {
                tensors.put(operand.name(), new Arguments(tensors, indices, gradients).tensor(alias));
            } else {
                float[] content = content(operand);
                int guard = aligned ? ALIGNED_GUARD : 2 * random.nextInt(16) + 1;
                float[] memory = guard(content, guard);
                Tensor whole = backend.allocate(Shape.of(memory.length));
                backend.upload(memory, 0, whole);
                Tensor tensor = new Tensor(shape(operand), whole.storage(), whole.offset() + guard);
                placed.add(new Placed(operand, whole, memory));
                tensors.put(operand.name(), tensor);
                if (operand.role() == Operand.Role.GRADIENT) {
                    gradients.put(operand.name(), new GradientRows(tensor, COLUMN, samplesPerRow, accumulateRows));
                }
            }
        }
        opCase.call().accept(backend, new Arguments(tensors, indices, gradients));
        placed.forEach(memory -> check(backend, memory));
        return results(backend, tensors);
    }

    private Indices indices(Operand operand) {
        Indices indices = new Indices(samples.length);
        for (int i = 0; i < samples.length; i++) {
            indices.values()[i] = (int) data.get(operand.name())[samples[i]];
        }
        return indices;
    }

    private Shape shape(Operand operand) {
        int[] extents = operand.shape().toArray();
        if (operand.perSample()) {
            extents[0] = samples.length;
        }
        if (operand.role() == Operand.Role.GRADIENT) {
            extents[0] = (samples.length + samplesPerRow - 1) / samplesPerRow;
            extents[1] += 2 * COLUMN;
        }
        return Shape.of(extents);
    }

    /** What stands in the operand before the call. */
    private float[] content(Operand operand) {
        float[] content = new float[shape(operand).size()];
        Arrays.fill(content, GUARD);
        boolean gradient = operand.role() == Operand.Role.GRADIENT;
        if (!operand.isInput() && !(gradient ? accumulateRows : operand.accumulate())) {
            return content;
        }
        float[] all = data.get(operand.name());
        int chunk = operand.chunk();
        if (!operand.perSample()) {
            return all.clone();
        }
        int step = gradient ? samplesPerRow : 1;
        int margin = gradient ? COLUMN : 0;
        for (int i = 0, row = 0; i < samples.length; i += step, row++) {
            System.arraycopy(all, samples[i] * chunk, content, row * (chunk + 2 * margin) + margin, chunk);
        }
        return content;
    }

    private static float[] guard(float[] content, int guard) {
        float[] memory = new float[guard + content.length + GUARD_LENGTH];
        Arrays.fill(memory, GUARD);
        System.arraycopy(content, 0, memory, guard, content.length);
        return memory;
    }

    /** Fails if anything but an output changed. */
    private void check(Backend backend, Placed placed) {
        float[] before = placed.before;
        float[] after = new float[before.length];
        backend.download(placed.whole, after, 0);
        Operand operand = placed.operand;
        int size = shape(operand).size();
        int first = before.length - GUARD_LENGTH - size;
        for (int i = 0; i < after.length; i++) {
            if (writable(operand, i - first, size)) {
                continue;
            }
            if (Float.floatToRawIntBits(after[i]) != Float.floatToRawIntBits(before[i])) {
                throw new AssertionError(opCase + ": " + operand.name() + "[" + (i - first) + " of " + size
                        + "] must not be written, was " + before[i] + ", became " + after[i]);
            }
        }
    }

    private boolean writable(Operand operand, int index, int size) {
        boolean output = !operand.isInput()
                || opCase.operands().stream().anyMatch(other -> operand.name().equals(other.alias()));
        if (!output || index < 0 || index >= size) {
            return false;
        }
        int column = index % shape(operand).dim(-1);
        return operand.role() != Operand.Role.GRADIENT || (column >= COLUMN && column < COLUMN + operand.chunk());
    }

    private Map<String, float[]> results(Backend backend, Map<String, Tensor> tensors) {
        Map<String, float[]> results = new LinkedHashMap<>();
        Arguments arguments = new Arguments(tensors, Map.of(), Map.of());
        for (Operand operand : opCase.operands()) {
            if (operand.isInput()) {
                continue;
            }
            Tensor tensor = arguments.tensor(operand.name());
            float[] values = new float[tensor.size()];
            backend.download(tensor, values, 0);
            results.put(operand.name(), operand.role() == Operand.Role.GRADIENT ? columns(values, operand) : values);
        }
        return results;
    }

    /** The coordinates of the gradient itself, row after row. */
    private static float[] columns(float[] matrix, Operand operand) {
        int width = operand.chunk();
        int stride = width + 2 * COLUMN;
        float[] columns = new float[matrix.length / stride * width];
        for (int row = 0; row < matrix.length / stride; row++) {
            System.arraycopy(matrix, row * stride + COLUMN, columns, row * width, width);
        }
        return columns;
    }
}
