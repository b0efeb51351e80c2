package org.sapwood.tensor.cuda;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.AdamStep;
import org.sapwood.tensor.ClipPlan;
import org.sapwood.tensor.DeviceTraining;
import org.sapwood.tensor.HeapStorage;
import org.sapwood.tensor.Tensor;

/**
 * The training state on a CUDA device: launches {@code kernels/noise_step.cu} and, through {@link CudaClipping},
 * {@code kernels/clip_accumulate.cu}. The weights lie in one vector, and all kernels of the stream read them there. The
 * memory is the stream's and lives as long as it.
 */
final class CudaTraining implements DeviceTraining {
    private static final String FAMILY = "noise_step";
    private static final int THREADS = 256;

    /** Coordinates of a block that adds noise. */
    private static final int PER_BLOCK = 8 * THREADS;

    private final CudaStream stream;
    private final int size;
    private final @Nullable CudaClipping clipping;
    private final long weights;
    private final long firstMoment;
    private final long secondMoment;
    private final long averaged;
    private final long sums;
    private final long partials;
    private final double[] partialSquares;
    private final long setCount;
    private final long givenCount;
    private final int[] count = new int[1];
    private double perUnit;

    /**
     * Zero moments and sums; the average starts at the weights.
     *
     * @param weights heap tensors, each with a storage of its own; from now on the device's kernels read the copy made
     *     here
     * @param plan null if no sums are needed
     * @throws IllegalArgumentException if a weight does not own the whole of its storage, or if the groups of the plan
     *     are not P columns
     */
    CudaTraining(CudaStream stream, List<Tensor> weights, @Nullable ClipPlan plan) {
        this.stream = stream;
        int total = 0;
        for (Tensor weight : weights) {
            storage(weight);
            total = Math.addExact(total, weight.size());
        }
        size = total;
        if (plan != null) {
            int columns =
                    plan.groups().stream().mapToInt(ClipPlan.Group::length).sum();
            if (columns != size) {
                throw new IllegalArgumentException(
                        "the plan clips " + columns + " columns, but there are " + size + " weights");
            }
        }
        this.weights = vector();
        firstMoment = vector();
        secondMoment = vector();
        averaged = vector();
        int offset = 0;
        for (Tensor weight : weights) {
            stream.bind(storage(weight), this.weights + (long) offset * Float.BYTES);
            offset += weight.size();
        }
        stream.copy(this.weights, averaged, bytes());
        int blocks = Math.ceilDiv(size, PER_BLOCK);
        clipping = plan == null ? null : new CudaClipping(stream, plan);
        sums = plan == null ? 0 : zeros(2 * (long) size);
        partials = plan == null ? 0 : zeros(2 * (long) blocks);
        partialSquares = new double[plan == null ? 0 : blocks];
        setCount = zeros(1);
        givenCount = zeros(1);
    }

    private static HeapStorage storage(Tensor weight) {
        if (weight.storage() instanceof HeapStorage heap && weight.offset() == 0 && heap.size() == weight.size()) {
            return heap;
        }
        throw new IllegalArgumentException("weight " + weight + " must be a heap tensor with a storage of its own, got"
                + " offset " + weight.offset() + " in " + weight.storage().size() + " elements");
    }

    private long vector() {
        return zeros(size);
    }

    private long zeros(long floats) {
        long address = stream.allocate(Math.toIntExact(floats)).address();
        stream.fill(address, 0, floats * Float.BYTES);
        return address;
    }

    private long bytes() {
        return (long) size * Float.BYTES;
    }

    private long address(Vector vector) {
        return switch (vector) {
            case WEIGHTS -> weights;
            case FIRST_MOMENT -> firstMoment;
            case SECOND_MOMENT -> secondMoment;
            case AVERAGED -> averaged;
        };
    }

    @Override
    public void write(Vector vector, float[] source) {
        stream.staging().upload(source, 0, size, address(vector));
    }

    @Override
    public void read(Vector vector, float[] target) {
        stream.staging().download(address(vector), size, target, 0);
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalStateException if the training has no plan
     * @throws IllegalArgumentException if the rows are not P wide or fewer than {@code count}
     */
    @Override
    public void accumulate(Tensor rows, int rowCount) {
        if (rowCount < 0 || rowCount > rows.dim(0)) {
            throw new IllegalArgumentException("count must be in [0, " + rows.dim(0) + "], got " + rowCount);
        }
        upload(rowCount, givenCount);
        accumulate(rows, givenCount);
    }

    @Override
    public void accumulate(Tensor rows) {
        accumulate(rows, setCount);
    }

    private void accumulate(Tensor rows, long countAddress) {
        if (rows.dim(1) != size) {
            throw new IllegalArgumentException("rows of " + rows.dim(1) + " columns for " + size + " weights");
        }
        plan().accumulate(rows, countAddress, sums);
    }

    private CudaClipping plan() {
        if (clipping == null) {
            throw new IllegalStateException("this training has no plan for clipping, so there are no sums");
        }
        return clipping;
    }

    @Override
    public void setCount(int rowCount) {
        upload(rowCount, setCount);
    }

    private void upload(int rowCount, long address) {
        count[0] = rowCount;
        stream.staging().upload(count, address);
    }

    @Override
    public void release(Noise noise, double newPerUnit, AdamStep step, double averageShare) {
        plan();
        perUnit = newPerUnit;
        Launch launch = stream.kernel(FAMILY, "noise_step_adam").i32(size).address(sums);
        vectors(launch).address(partials);
        key(launch, noise).f64(noise.deviation()).f64(newPerUnit);
        constants(launch, step, averageShare).blocks(partialSquares.length, THREADS);
    }

    @Override
    public double releasedNorm() {
        plan();
        stream.staging().download(partials, partialSquares.length, partialSquares);
        double squares = 0;
        for (double part : partialSquares) {
            squares += part;
        }
        return Math.sqrt(squares) * perUnit;
    }

    @Override
    public void update(Tensor gradient, float factor, AdamStep step, double averageShare) {
        if (gradient.size() != size) {
            throw new IllegalArgumentException("a gradient of " + gradient.size() + " values for " + size + " weights");
        }
        Launch launch = stream.kernel(FAMILY, "noise_step_update")
                .i32(size)
                .tensor(gradient)
                .f32(factor);
        constants(vectors(launch), step, averageShare).overItems(size, THREADS);
    }

    private Launch vectors(Launch launch) {
        return launch.address(weights)
                .address(firstMoment)
                .address(secondMoment)
                .address(averaged);
    }

    /** The words of the key are arguments of this launch and are stored nowhere on the device. */
    private static Launch key(Launch launch, Noise noise) {
        for (int word : noise.key()) {
            launch.i32(word);
        }
        for (int word : noise.nonce()) {
            launch.i32(word);
        }
        return launch;
    }

    private static Launch constants(Launch launch, AdamStep step, double averageShare) {
        return launch.f32(step.beta1())
                .f32(step.beta2())
                .f32(step.epsilon())
                .f32(step.correction())
                .f32(step.common().stepSize())
                .f32(step.common().keep())
                .f32(step.own().stepSize())
                .f32(step.own().keep())
                .i32(step.from())
                .i32(step.to())
                .f64(averageShare);
    }

    @Override
    public void readSums(long[] target) {
        plan();
        stream.staging().download(sums, size, target, 0);
    }

    /** Does nothing: recordings of the stream may still point to the memory, which goes with the stream. */
    @Override
    public void close() {}
}
