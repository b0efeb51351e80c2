package org.sapwood.synthesis;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.sapwood.autograd.BookKeepingSink;
import org.sapwood.autograd.ExampleGradients;
import org.sapwood.autograd.ExampleSink;
import org.sapwood.autograd.GradientPlan;
import org.sapwood.autograd.NormSink;
import org.sapwood.autograd.Parameter;
import org.sapwood.autograd.ParameterVector;
import org.sapwood.autograd.PerSampleSink;
import org.sapwood.autograd.SumSink;
import org.sapwood.autograd.TrainableTape;
import org.sapwood.autograd.WeightUse;
import org.sapwood.diffusion.DenoisingTape;
import org.sapwood.io.UserException;
import org.sapwood.nn.ParameterSet;
import org.sapwood.nn.UNet;
import org.sapwood.parallel.WorkerPool;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.BackendChoice;
import org.sapwood.tensor.Backends;
import org.sapwood.tensor.ClipPlan;
import org.sapwood.tensor.DeviceTraining;
import org.sapwood.tensor.GradientRows;
import org.sapwood.tensor.OutOfDeviceMemoryException;
import org.sapwood.tensor.Tensor;

/**
 * Computes gradients of a model over a logical batch of any size. Micro-batches are the unit of parallel work:
 * each worker thread runs whole micro-batches on its own backend, tape and arena, with no barrier inside a batch.
 *
 * <p>A device has one worker, the caller, which hands it recorded sequences and does not wait for them; the threads of the
 * pool fill slots for it. Its micro-batches are large, so the examples that do not fill one are run together, with some slots whose rows
 * nobody looks at, rather than one by one.
 *
 * <p>An example's gradient has the same bits whatever the number of threads and the size of the micro-batch: samples
 * never mix, and the draws of an example are always added in order.
 */
public final class GradientEngine implements AutoCloseable {
    /** What becomes of the gradients of a micro-batch. */
    public enum Rows {
        /** One row per example: private training. */
        PER_EXAMPLE,
        /** One row, the sum over a fixed chain of micro-batches: ordinary training. */
        SUMMED,
        /** One row per example, the squared norm of each parameter's gradient: selection. */
        NORMS
    }

    /** Records what is to be differentiated. */
    @FunctionalInterface
    public interface TapeRecorder {
        /**
         * Called from the worker that will use the tape.
         *
         * @param images slots of the tape
         * @param lossScale the gradients are to be those of lossScale times the sum of the images' losses
         */
        TrainableTape record(Backend backend, Arena arena, int images, float lossScale);
    }

    /** Fills one slot of a tape with one draw (augmentation, timestep, noise) of one example. */
    @FunctionalInterface
    public interface DrawSource {
        /**
         * Must depend on (example, draw) alone, not on slot, worker or order, and be safe to call from all workers.
         *
         * @param worker number of the thread that asks, for scratch memory
         * @param example position in the logical batch
         * @param draw in [0, K)
         * @param tape as the engine's {@link TapeRecorder} made it
         */
        void fill(int worker, int example, int draw, TrainableTape tape, int slot);
    }

    /** Takes the finished gradient rows of one unit of work: a micro-batch, or a chain of them when summing. */
    @FunctionalInterface
    public interface RowConsumer {
        /**
         * Called on the worker's thread.
         *
         * @param unit index of the unit, in [0, {@link GradientEngine#unitsFor}); which examples it holds depends on
         *     the sizes alone
         * @param rows gradients [rows, P], or norms [rows, parameters], all of them meaningful; valid during the call
         */
        void accept(int worker, Backend backend, int unit, Tensor rows);

        /**
         * Takes gradients of single examples that are not all rows in memory, which is how they come on the host where rows
         * would take more than {@link GradientPlan#ROW_BYTES}.
         *
         * @param gradients valid during the call
         */
        default void accept(int worker, ExampleGradients gradients) {
            throw new IllegalStateException(
                    "the gradients of " + gradients.examples() + " examples are not in memory as rows");
        }

        /**
         * Whether {@link #accept(int, Backend, int, Tensor)} is the same calls of the backend every time and brings nothing to the host, so that a
         * device can record it. Such a consumer gets all rows of a micro-batch; those that count it is told beforehand.
         */
        default boolean staysOnDevice() {
            return false;
        }

        /** How many of the rows count that {@code accept} works on next; only called if it stays on the device. */
        default void expect(int rows) {}
    }

    /**
     * Chains that summed micro-batches form. A chain is summed by one worker in order and the chains' sums are added in
     * order, so that no worker waits for another and the bits are the same for any number of workers.
     */
    private static final int CHAINS = 8;

    /** Images that one pass of a tape may hold where several draws of an example go together. */
    private static final int MAX_DRAWS_PER_PASS = GradientRows.ORDERED_SAMPLES;

    /** Filling fewer slots is not worth a thread's waking up. */
    private static final int SLOTS_PER_TASK = 8;

    private final WorkerPool pool;
    private final Worker[] workers;
    private final ParameterVector parameters;
    private final ParameterSet modelParameters;
    private final TapeRecorder recorder;
    private final Rows rows;
    private final GradientPlan plan;
    private final MicroBatch sizes;
    private final int microBatch;
    private final int draws;
    private final int drawsPerPass;
    private final boolean onDevice;
    private @Nullable DeviceTraining training;

    /** An engine for the denoising loss of {@code model}; {@code conditional} is whether the labels are used. */
    public GradientEngine(
            BackendChoice backend,
            int threads,
            UNet model,
            ParameterVector parameters,
            Rows rows,
            int microBatch,
            int draws,
            boolean conditional) {
        this(
                backend,
                threads,
                model.parameters(),
                (own, arena, images, lossScale) ->
                        DenoisingTape.forTraining(own, arena, model, images, conditional, lossScale),
                parameters,
                rows,
                microBatch,
                draws);
    }

    /**
     * An engine whose tapes are recorded on first use; freeze parameters and attach adapters before.
     *
     * @param threads threads, ≥ 1
     * @param modelParameters all parameters, trained or not
     * @param parameters those that train
     * @param microBatch images per micro-batch, or 0 for what suits the backend; several draws of an example count as
     *     several images
     * @param draws K ≥ 1, draws per example; the loss of each counts 1/K
     * @throws UserException if the micro-batch is too large for any device, or if the rows are of single examples and the
     *     backend lets samples mix
     */
    public GradientEngine(
            BackendChoice backend,
            int threads,
            ParameterSet modelParameters,
            TapeRecorder recorder,
            ParameterVector parameters,
            Rows rows,
            int microBatch,
            int draws) {
        this(backend, threads, modelParameters, recorder, parameters, rows, microBatch, draws, GradientPlan.ROW_BYTES);
    }

    /** @param rowBytes bytes that gradients of one example may take on the host, in a micro-batch of any size */
    GradientEngine(
            BackendChoice backend,
            int threads,
            ParameterSet modelParameters,
            TapeRecorder recorder,
            ParameterVector parameters,
            Rows rows,
            int microBatch,
            int draws,
            long rowBytes) {
        if (microBatch < 0 || draws < 1) {
            throw new IllegalArgumentException(
                    "draws must be >= 1 and microBatch >= 0, got " + draws + ", " + microBatch);
        }
        if (rows != Rows.SUMMED) {
            requireIndependentSamples(backend);
        }
        this.modelParameters = modelParameters;
        this.recorder = recorder;
        this.parameters = parameters;
        this.rows = rows;
        this.draws = draws;
        this.drawsPerPass = rows == Rows.NORMS ? draws : largestDivisor(draws, MAX_DRAWS_PER_PASS);
        this.pool = new WorkerPool(threads);
        List<Backend> opened = new ArrayList<>();
        try {
            Backend first = backend.open();
            opened.add(first);
            this.onDevice = first.isDevice();
            this.workers = new Worker[onDevice ? 1 : threads];
            workers[0] = new Worker(0, first);
            for (int i = 1; i < workers.length; i++) {
                opened.add(backend.open());
                workers[i] = new Worker(i, opened.getLast());
            }
            this.plan = rows != Rows.PER_EXAMPLE || (long) Float.BYTES * parameters.size() <= rowBytes
                    ? GradientPlan.keepAll(parameters, List.of(), drawsPerPass, "")
                    : plan(onDevice, uses(first, recorder, draws), parameters, draws, rowBytes);
            this.sizes = new MicroBatch(rows, drawsPerPass, this::laneBytes);
            this.microBatch = onDevice ? examplesOnDevice(microBatch) : examplesOnHost(microBatch);
        } catch (RuntimeException | Error e) {
            pool.close();
            opened.forEach(Backend::close);
            throw e;
        }
    }

    /**
     * Refuses a backend that lets samples mix: the sensitivity of a private sum rests on terms of one example each.
     *
     * @throws UserException if it does
     */
    public static void requireIndependentSamples(BackendChoice backend) {
        String reason = Backends.mixing(backend.name());
        if (reason != null) {
            throw new UserException("private training " + reason);
        }
    }

    /** The matrices that a tape multiplies with, found out without taking memory for one. */
    static List<WeightUse> uses(Backend backend, TapeRecorder recorder, int draws) {
        int together = largestDivisor(draws, MAX_DRAWS_PER_PASS);
        return recorder.record(backend, Arena.measuring(), together, 1f / draws).weightUses();
    }

    /**
     * How the gradients of single examples are obtained.
     *
     * @param onDevice whether they are computed on a device
     * @param uses from {@link #uses}
     * @param draws K
     * @param rowBytes bytes that those of one example may take on the host
     */
    static GradientPlan plan(
            boolean onDevice, List<WeightUse> uses, ParameterVector parameters, int draws, long rowBytes) {
        int together = largestDivisor(draws, MAX_DRAWS_PER_PASS);
        if (onDevice) {
            return GradientPlan.keepAll(parameters, uses, together, "a device keeps its rows");
        }
        if (together < draws) {
            return GradientPlan.keepAll(parameters, uses, together, "draws of several passes add to one row");
        }
        return GradientPlan.of(parameters, uses, draws, rowBytes);
    }

    private int examplesOnHost(int images) {
        int suiting = rows == Rows.SUMMED ? MicroBatch.HOST_SUMMED : MicroBatch.HOST;
        return examplesOnHost(images == 0 ? suiting : images, draws, drawsPerPass);
    }

    /** Examples per micro-batch of so many images on the host. */
    static int examplesOnHost(int images, int draws, int drawsPerPass) {
        // An example of several passes stands alone, so that its passes add to one row.
        return drawsPerPass == draws ? Math.max(1, images / draws) : 1;
    }

    private int examplesOnDevice(int images) {
        if (images == 0) {
            return sizes.suiting(workers[0].backend.freeMemory() - trainingBytes() - frozenBytes());
        }
        int examples = Math.max(1, images / drawsPerPass);
        sizes.requirePossible(examples);
        return examples;
    }

    /** Bytes that a lane of so many examples takes. */
    private long laneBytes(int examples) {
        Arena arena = Arena.measuring();
        Backend backend = workers[0].backend;
        int images = Math.multiplyExact(examples, drawsPerPass);
        recorder.record(backend, arena, images, 1f / draws);
        sink(backend, arena, examples);
        return arena.bytes();
    }

    /** Bytes on a device that grow with the trained weights alone: themselves, moments, average, and exact sums. */
    private long trainingBytes() {
        return (long) parameters.size()
                * switch (rows) {
                    case PER_EXAMPLE -> 4 * Float.BYTES + Long.BYTES;
                    case SUMMED -> 4 * Float.BYTES;
                    case NORMS -> Float.BYTES;
                };
    }

    /** Bytes of the other weights' copies on a device, which the first pass makes. */
    private long frozenBytes() {
        long all = modelParameters.all().stream().mapToLong(Parameter::size).sum();
        return (all - parameters.size()) * Float.BYTES;
    }

    private ExampleSink sink(Backend backend, Arena arena, int examples) {
        return switch (rows) {
            case PER_EXAMPLE ->
                plan.keepsAll()
                        ? new PerSampleSink(backend, arena, parameters, examples, drawsPerPass)
                        : new BookKeepingSink(backend, arena, parameters, plan, examples);
            case SUMMED -> new SumSink(backend, arena, parameters, examples * drawsPerPass);
            case NORMS -> new NormSink(backend, arena, parameters, examples, drawsPerPass);
        };
    }

    private static int largestDivisor(int n, int limit) {
        int divisor = Math.min(n, limit);
        while (n % divisor != 0) {
            divisor--;
        }
        return divisor;
    }

    /** The threads that it computes with; idle while {@link #run} does not run. */
    WorkerPool pool() {
        return pool;
    }

    /** Examples per micro-batch: the most rows that a consumer sees at once. */
    public int rowsPerMicroBatch() {
        return microBatch;
    }

    /**
     * Moves training to the device that the gradients are computed on. Before the first {@link #run}.
     *
     * @param plan how gradients are bounded; null if the training is not private
     * @return null if gradients are computed on the host
     * @throws UserException if the device has not the memory
     */
    @Nullable
    DeviceTraining trainOnDevice(@Nullable ClipPlan plan) {
        List<Tensor> weights =
                parameters.parameters().stream().map(Parameter::value).toList();
        try {
            training = workers[0].backend.train(weights, plan);
        } catch (OutOfDeviceMemoryException e) {
            throw new UserException(
                    e.getMessage() + ": training " + parameters.size() + " weights takes about "
                            + (trainingBytes() >> 20) + " MiB; train fewer, or take --backend simd",
                    e);
        }
        return training;
    }

    /** Whether gradients are computed on a device. */
    boolean isOnDevice() {
        return onDevice;
    }

    /** Waits until a device has done all that was asked of it. */
    void synchronize() {
        workers[0].backend.synchronize();
    }

    /** Number of units that a logical batch is divided into. */
    public int unitsFor(int examples) {
        int whole = examples / microBatch;
        int remainder = examples % microBatch;
        if (onDevice) {
            return rows == Rows.SUMMED ? Math.min(1, examples) : whole + Math.min(1, remainder);
        }
        return switch (rows) {
            case PER_EXAMPLE, NORMS -> whole + remainder;
            case SUMMED -> Math.min(CHAINS, whole) + Math.min(1, remainder);
        };
    }

    /**
     * Computes the gradients of examples 0 … examples − 1 and hands them to {@code consumer}, unit by unit, from all
     * workers at once. Returns when all are done; throws what a worker failed with.
     *
     * @throws IllegalStateException if the caller is interrupted; the consumer may then have gradients of half a batch, as
     *     after any failure
     */
    public void run(int examples, DrawSource source, RowConsumer consumer) {
        int units = unitsFor(examples);
        if (onDevice) {
            workers[0].runOnDevice(units, examples, source, consumer);
        } else {
            pool.forEach(units, (worker, unit) -> workers[worker].runOnHost(unit, examples, source, consumer));
        }
    }

    @Override
    public void close() {
        pool.close();
        if (training != null) {
            training.close();
        }
        for (Worker worker : workers) {
            worker.backend.close();
        }
    }

    /** One thread's backend and its recorded tapes. */
    private final class Worker {
        private final int index;
        private final Backend backend;
        private @Nullable Lane full;
        private @Nullable Lane single;
        private final Map<Integer, Lane> deviceLanes = new TreeMap<>();
        private long freeForLanes;

        Worker(int index, Backend backend) {
            this.index = index;
            this.backend = backend;
        }

        void runOnHost(int unit, int examples, DrawSource source, RowConsumer consumer) {
            int whole = examples / microBatch;
            switch (rows) {
                case PER_EXAMPLE, NORMS -> {
                    if (unit < whole) {
                        run(fullLane(), unit, unit, unit + 1, 1, 0, source, consumer);
                    } else {
                        int example = unit - whole;
                        run(singleLane(), unit, example, example + 1, 1, whole * microBatch, source, consumer);
                    }
                }
                case SUMMED -> {
                    if (unit < Math.min(CHAINS, whole)) {
                        run(fullLane(), unit, unit, whole, CHAINS, 0, source, consumer);
                    } else {
                        int rest = examples - whole * microBatch;
                        run(singleLane(), unit, 0, rest, 1, whole * microBatch, source, consumer);
                    }
                }
            }
        }

        /** All units, on the caller's thread; the pool's are for filling slots. */
        void runOnDevice(int units, int examples, DrawSource source, RowConsumer consumer) {
            try {
                for (int unit = 0; unit < units; unit++) {
                    runUnitOnDevice(unit, examples, source, consumer);
                }
            } catch (OutOfDeviceMemoryException e) {
                throw sizes.tooLarge(e, microBatch, freeForLanes);
            }
        }

        /** One micro-batch of examples, perhaps the last, or the sum over all of them. */
        private void runUnitOnDevice(int unit, int examples, DrawSource source, RowConsumer consumer) {
            switch (rows) {
                case PER_EXAMPLE, NORMS -> {
                    int from = unit * microBatch;
                    int count = Math.min(microBatch, examples - from);
                    int size = microBatch;
                    while (size % 2 == 0 && size / 2 >= count && size / 2 >= microBatch / MicroBatch.SMALLEST_LANE) {
                        size /= 2;
                    }
                    Lane lane = deviceLane(size, null);
                    lane.runOnDevice(from, count, true, source);
                    lane.hand(unit, count, consumer);
                }
                case SUMMED -> {
                    int whole = examples / microBatch;
                    int rest = examples - whole * microBatch;
                    Lane last = whole == 0 ? deviceLane(rest, null) : deviceLane(microBatch, null);
                    for (int m = 0; m < whole; m++) {
                        last.runOnDevice(m * microBatch, microBatch, m == 0, source);
                    }
                    if (rest > 0) {
                        last = whole == 0 ? last : deviceLane(rest, last.sink.matrix());
                        last.runOnDevice(whole * microBatch, rest, whole == 0, source);
                    }
                    last.hand(unit, 1, consumer);
                }
            }
        }

        private Lane fullLane() {
            if (full == null) {
                full = new Lane(backend, microBatch, null);
            }
            return full;
        }

        private Lane singleLane() {
            if (microBatch == 1) {
                return fullLane();
            }
            if (single == null) {
                single = new Lane(backend, 1, null);
            }
            return single;
        }

        /** @param matrix of the lane to whose gradients this one's add; null if it has its own */
        private Lane deviceLane(int examples, @Nullable Tensor matrix) {
            Lane lane = deviceLanes.get(examples);
            if (lane == null) {
                if (deviceLanes.isEmpty()) {
                    freeForLanes = backend.freeMemory() - frozenBytes();
                }
                lane = new Lane(backend, examples, matrix);
                deviceLanes.put(examples, lane);
            }
            return lane;
        }

        /** Runs micro-batches from, from + stride, … below to of a lane, counted from example {@code base}. */
        private void run(
                Lane lane, int unit, int from, int to, int stride, int base, DrawSource source, RowConsumer consumer) {
            lane.sink.clear();
            for (int m = from; m < to; m += stride) {
                lane.run(index, base + m * lane.examples, source);
            }
            lane.sink.finish();
            if (lane.sink instanceof ExampleGradients gradients) {
                consumer.accept(index, gradients);
            } else {
                consumer.accept(index, backend, unit, lane.sink.matrix());
            }
        }
    }

    /** A tape for a fixed number of examples with the sink that takes its gradients. */
    private final class Lane {
        private final Backend backend;
        private final int examples;
        private final TrainableTape tape;
        private final ExampleSink sink;
        private final Runnable first;
        private final Runnable further;
        private @Nullable RowConsumer recordedFor;
        private @Nullable Runnable end;

        /** @param matrix where the gradients go; null for memory of its own */
        Lane(Backend backend, int examples, @Nullable Tensor matrix) {
            this.backend = backend;
            this.examples = examples;
            Arena arena = new Arena(backend);
            tape = recorder.record(backend, arena, examples * drawsPerPass, 1f / draws);
            if (matrix == null) {
                sink = sink(backend, arena, examples);
            } else {
                SumSink adding = new SumSink(backend, matrix, parameters, examples * drawsPerPass);
                adding.resume();
                sink = adding;
            }
            first = backend.record(() -> {
                sink.clear();
                tape.replay();
                tape.backward(sink);
            });
            further = backend.record(() -> {
                tape.replay();
                tape.backward(sink);
            });
        }

        /** Adds the gradients of this lane's number of examples to the sink, all draws of each. */
        void run(int worker, int first, DrawSource source) {
            for (int pass = 0; pass < draws / drawsPerPass; pass++) {
                fill(worker, first, pass, 0, examples * drawsPerPass, source);
                tape.forward();
                tape.backward(sink);
            }
        }

        /**
         * The same on a device.
         *
         * @param count examples that there are; the other slots keep what they hold
         * @param replace whether the gradients replace what the sink holds
         */
        void runOnDevice(int from, int count, boolean replace, DrawSource source) {
            for (int pass = 0; pass < draws / drawsPerPass; pass++) {
                fillTogether(from, count, pass, source);
                tape.load();
                (replace && pass == 0 ? first : further).run();
            }
        }

        /** Completes the rows and gives them to the consumer. */
        void hand(int unit, int count, RowConsumer consumer) {
            if (!consumer.staysOnDevice()) {
                sink.finish();
                consumer.accept(0, backend, unit, sink.matrix().slice(0, count));
                return;
            }
            if (end == null || !consumer.equals(recordedFor)) {
                recordedFor = consumer;
                end = backend.record(() -> {
                    sink.finish();
                    consumer.accept(0, backend, unit, sink.matrix());
                });
            }
            consumer.expect(count);
            end.run();
        }

        /** Fills the slots of {@code count} examples by all threads. */
        private void fillTogether(int from, int count, int pass, DrawSource source) {
            pool.forStretches(
                    count * drawsPerPass,
                    SLOTS_PER_TASK,
                    (thread, first, end) -> fill(thread, from, pass, first, end, source));
        }

        private void fill(int thread, int from, int pass, int firstSlot, int endSlot, DrawSource source) {
            for (int slot = firstSlot; slot < endSlot; slot++) {
                int draw = pass * drawsPerPass + slot % drawsPerPass;
                source.fill(thread, from + slot / drawsPerPass, draw, tape, slot);
            }
        }
    }
}
