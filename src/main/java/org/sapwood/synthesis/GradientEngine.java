package org.sapwood.synthesis;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.sapwood.autograd.ParameterVector;
import org.sapwood.autograd.PerSampleSink;
import org.sapwood.autograd.RowSink;
import org.sapwood.autograd.SumSink;
import org.sapwood.diffusion.DenoisingTape;
import org.sapwood.nn.UNet;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.BackendChoice;
import org.sapwood.tensor.Tensor;

/**
 * Computes gradients of a denoising model over a logical batch of any size. Micro-batches are the unit of parallel work:
 * each worker thread runs whole micro-batches on its own backend, tape and arena, with no barrier inside a step.
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
        SUMMED
    }

    /** Fills one slot of a tape with one draw (augmentation, timestep, noise) of one example. */
    @FunctionalInterface
    public interface DrawSource {
        /**
         * Must depend on (example, draw) alone, not on slot, worker or order, and be safe to call from all workers.
         *
         * @param worker which worker asks, for scratch memory
         * @param example position in the logical batch
         * @param draw in [0, K)
         */
        void fill(int worker, int example, int draw, DenoisingTape tape, int slot);
    }

    /** Takes the finished gradient rows of one unit of work: a micro-batch, or a chain of them when summing. */
    @FunctionalInterface
    public interface RowConsumer {
        /**
         * Called on the worker's thread.
         *
         * @param unit index of the unit, in [0, {@link GradientEngine#unitsFor}); which examples it holds depends on
         *     the sizes alone
         * @param rows gradients [rows, P], all of them meaningful; valid during the call
         */
        void accept(int worker, Backend backend, int unit, Tensor rows);
    }

    /**
     * Chains that summed micro-batches form. A chain is summed by one worker in order and the chains' sums are added in
     * order, so that no worker waits for another and the bits are the same for any number of workers.
     */
    private static final int CHAINS = 8;

    /** Images that one pass of a tape may hold where several draws of an example go together. */
    private static final int MAX_DRAWS_PER_PASS = 8;

    private final ExecutorService threads;
    private final Worker[] workers;
    private final ParameterVector parameters;
    private final UNet model;
    private final Rows rows;
    private final boolean conditional;
    private final int microBatch;
    private final int draws;
    private final int drawsPerPass;
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    /**
     * An engine whose tapes are recorded on first use; freeze parameters and attach adapters before.
     *
     * @param threads worker threads, ≥ 1
     * @param microBatch images per micro-batch, ≥ 1; several draws of an example count as several images
     * @param draws K ≥ 1, draws per example; the loss of each counts 1/K
     * @param conditional whether the labels are used
     */
    public GradientEngine(
            BackendChoice backend,
            int threads,
            UNet model,
            ParameterVector parameters,
            Rows rows,
            int microBatch,
            int draws,
            boolean conditional) {
        if (threads < 1 || microBatch < 1 || draws < 1) {
            throw new IllegalArgumentException(
                    "threads, microBatch and draws must be >= 1, got " + threads + ", " + microBatch + ", " + draws);
        }
        this.model = model;
        this.parameters = parameters;
        this.rows = rows;
        this.draws = draws;
        this.conditional = conditional;
        this.drawsPerPass = largestDivisor(draws, MAX_DRAWS_PER_PASS);
        // An example of several passes stands alone, so that its passes add to one row.
        this.microBatch = drawsPerPass == draws ? Math.max(1, microBatch / draws) : 1;
        this.threads = Executors.newFixedThreadPool(
                threads, Thread.ofPlatform().name("sapwood-worker-", 0).daemon().factory());
        this.workers = new Worker[threads];
        for (int i = 0; i < threads; i++) {
            workers[i] = new Worker(i, backend.open());
        }
    }

    private static int largestDivisor(int n, int limit) {
        int divisor = Math.min(n, limit);
        while (n % divisor != 0) {
            divisor--;
        }
        return divisor;
    }

    /** Worker threads. */
    public int workerCount() {
        return workers.length;
    }

    /** Examples per micro-batch: the most rows that a consumer sees at once. */
    public int rowsPerMicroBatch() {
        return microBatch;
    }

    /** Number of units that a logical batch is divided into. */
    public int unitsFor(int examples) {
        int whole = examples / microBatch;
        int remainder = examples % microBatch;
        return switch (rows) {
            case PER_EXAMPLE -> whole + remainder;
            case SUMMED -> Math.min(CHAINS, whole) + Math.min(1, remainder);
        };
    }

    /**
     * Computes the gradients of examples 0 … examples − 1 and hands them to {@code consumer}, unit by unit, from all
     * workers at once. Returns when all are done. An engine of which a worker failed cannot be used again.
     */
    public void run(int examples, DrawSource source, RowConsumer consumer) {
        AtomicInteger next = new AtomicInteger();
        Future<?>[] running = new Future<?>[workers.length];
        for (int w = 0; w < workers.length; w++) {
            Worker worker = workers[w];
            running[w] = threads.submit(() -> worker.work(examples, next, source, consumer));
        }
        for (Future<?> future : running) {
            join(future);
        }
        Throwable cause = failure.get();
        if (cause != null) {
            throw new IllegalStateException("a worker failed: " + cause, cause);
        }
    }

    private void join(Future<?> future) {
        try {
            future.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while computing gradients", e);
        } catch (ExecutionException e) {
            failure.compareAndSet(null, e.getCause() == null ? e : e.getCause());
        }
    }

    @Override
    public void close() {
        threads.shutdownNow();
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

        Worker(int index, Backend backend) {
            this.index = index;
            this.backend = backend;
        }

        void work(int examples, AtomicInteger next, DrawSource source, RowConsumer consumer) {
            int units = unitsFor(examples);
            int whole = examples / microBatch;
            try {
                for (int unit = next.getAndIncrement(); unit < units; unit = next.getAndIncrement()) {
                    switch (rows) {
                        case PER_EXAMPLE -> {
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
            } catch (RuntimeException | Error e) {
                next.set(Integer.MAX_VALUE / 2);
                throw e;
            }
        }

        private Lane fullLane() {
            if (full == null) {
                full = new Lane(backend, microBatch);
            }
            return full;
        }

        private Lane singleLane() {
            if (microBatch == 1) {
                return fullLane();
            }
            if (single == null) {
                single = new Lane(backend, 1);
            }
            return single;
        }

        /** Runs micro-batches from, from + stride, … below to of a lane, counted from example {@code base}. */
        private void run(
                Lane lane, int unit, int from, int to, int stride, int base, DrawSource source, RowConsumer consumer) {
            lane.sink.clear();
            for (int m = from; m < to; m += stride) {
                lane.run(index, base + m * lane.examples, source);
            }
            lane.sink.finish();
            consumer.accept(index, backend, unit, lane.sink.matrix());
        }
    }

    /** A tape for a fixed number of examples with the sink that takes its gradients. */
    private final class Lane {
        private final int examples;
        private final DenoisingTape tape;
        private final RowSink sink;

        Lane(Backend backend, int examples) {
            this.examples = examples;
            int batch = examples * drawsPerPass;
            Arena arena = new Arena(backend);
            tape = DenoisingTape.forTraining(backend, arena, model, batch, conditional, 1f / draws);
            sink = switch (rows) {
                case PER_EXAMPLE -> new PerSampleSink(backend, arena, parameters, examples, drawsPerPass);
                case SUMMED -> new SumSink(backend, arena, parameters, batch);
            };
        }

        /** Adds the gradients of this lane's number of examples to the sink, all draws of each. */
        void run(int worker, int first, DrawSource source) {
            for (int pass = 0; pass < draws / drawsPerPass; pass++) {
                int slot = 0;
                for (int e = 0; e < examples; e++) {
                    for (int d = 0; d < drawsPerPass; d++) {
                        source.fill(worker, first + e, pass * drawsPerPass + d, tape, slot++);
                    }
                }
                tape.forward();
                tape.backward(sink);
            }
        }
    }
}
