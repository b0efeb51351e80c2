package org.sapwood.synthesis.dpaf;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.sapwood.autograd.ParameterVector;
import org.sapwood.autograd.PerSampleSink;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Variable;
import org.sapwood.nn.GanConfig;
import org.sapwood.nn.GanFeatures;
import org.sapwood.parallel.WorkerPool;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.BackendChoice;

/**
 * Computes, image by image, the normalised features and the gradients of conv2. An image's numbers have the same bits
 * wherever it stands and however many threads there are.
 */
final class FeatureEngine implements AutoCloseable {
    private static final int IMAGES = 16;

    private final GanConfig config;
    private final GanFeatures features;
    private final ParameterVector conv2;
    private final WorkerPool pool;
    private final List<Worker> workers = new ArrayList<>();

    /** Writes an image in [−1, 1], or the vector that goes with it, to {@code target} from {@code offset}. */
    @FunctionalInterface
    interface Fill {
        void fill(int example, float[] target, int offset);
    }

    /** Takes the result for one example, {@code values} from {@code offset}; called by many workers. */
    @FunctionalInterface
    interface Consumer {
        void accept(int worker, int example, float[] values, int offset);
    }

    FeatureEngine(GanConfig config, GanFeatures features, BackendChoice backend, WorkerPool pool) {
        this.config = config;
        this.features = features;
        this.pool = pool;
        features.parameters().trainOnly(GanFeatures::isConv2);
        conv2 = features.parameters().trainable();
        for (int i = 0; i < pool.workers(); i++) {
            workers.add(new Worker(backend.open()));
        }
    }

    /** Weights of conv2, the ones that are differentiated. */
    ParameterVector conv2() {
        return conv2;
    }

    /** Hands over the features f̂ [p², m] of {@code count} images. */
    void features(int count, Fill images, Consumer consumer) {
        pool.forStretches(
                count, IMAGES, (worker, from, to) -> workers.get(worker).features(worker, from, to, images, consumer));
    }

    /**
     * Hands over the gradients (∂f̂/∂θ₂)ᵀv of {@code count} images.
     *
     * @param directions fills v [p², m]
     */
    void conv2Gradients(int count, Fill images, Fill directions, Consumer consumer) {
        pool.forStretches(
                count,
                IMAGES,
                (worker, from, to) -> workers.get(worker).gradients(worker, from, to, images, directions, consumer));
    }

    @Override
    public void close() {
        workers.forEach(worker -> worker.backend.close());
    }

    /** A recorded pass over a few images. */
    private final class Pass {
        final Tape tape;
        final Variable images;
        final Variable output;
        final @Nullable PerSampleSink sink;

        Pass(Backend backend, boolean differentiable) {
            Arena arena = new Arena(backend);
            tape = differentiable ? Tape.forTraining(backend, arena) : Tape.forInference(backend, arena);
            images = tape.input(IMAGES, config.imageSize() * config.imageSize(), config.channels());
            features.parameters().trainOnly(GanFeatures::isConv2);
            output = features.forward(tape, images);
            tape.keep(output);
            tape.seal();
            sink = differentiable ? new PerSampleSink(backend, arena, conv2, IMAGES, 1) : null;
        }
    }

    /** The memory of one thread. */
    private final class Worker {
        final Backend backend;
        final float[] pixels = new float[IMAGES * config.imageLength()];
        final float[] vectors = new float[IMAGES * config.featureLength()];
        final float[] rows = new float[IMAGES * conv2.size()];

        @Nullable
        Pass forward;

        @Nullable
        Pass both;

        Worker(Backend backend) {
            this.backend = backend;
        }

        void features(int worker, int from, int to, Fill images, Consumer consumer) {
            if (forward == null) {
                forward = new Pass(backend, false);
            }
            Pass pass = forward;
            run(pass, from, to, images);
            backend.download(pass.output.value(), vectors, 0);
            for (int i = from; i < to; i++) {
                consumer.accept(worker, i, vectors, (i - from) * config.featureLength());
            }
        }

        void gradients(int worker, int from, int to, Fill images, Fill directions, Consumer consumer) {
            if (both == null) {
                both = new Pass(backend, true);
            }
            Pass pass = both;
            PerSampleSink sink = Objects.requireNonNull(pass.sink);
            run(pass, from, to, images);
            for (int i = from; i < to; i++) {
                directions.fill(i, vectors, (i - from) * config.featureLength());
            }
            backend.upload(vectors, 0, pass.output.gradient());
            sink.clear();
            pass.tape.backward(sink);
            sink.finish();
            backend.download(sink.matrix(), rows, 0);
            for (int i = from; i < to; i++) {
                consumer.accept(worker, i, rows, (i - from) * conv2.size());
            }
        }

        /** Slots beyond {@code to} keep old content, which nobody looks at. */
        private void run(Pass pass, int from, int to, Fill images) {
            for (int i = from; i < to; i++) {
                images.fill(i, pixels, (i - from) * config.imageLength());
            }
            backend.upload(pixels, 0, pass.images.value());
            pass.tape.forward();
        }
    }
}
