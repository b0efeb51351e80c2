package org.sapwood.diffusion;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.LongConsumer;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.sampling.distribution.ContinuousSampler;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;
import org.apache.commons.rng.simple.RandomSource;
import org.sapwood.nn.UNet;
import org.sapwood.nn.UNetConfig;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.BackendChoice;

/**
 * Draws images from a UNet with several workers, each with a backend and a tape of its own. Image i has the same bits
 * for any number of threads and any micro-batch size.
 */
public final class ImageSampler {
    private final UNet model;
    private final NoiseSchedule schedule;
    private final SamplingOptions options;
    private final BackendChoice backend;

    /** A sampler of {@code model} as its weights are when {@link #sample} runs. */
    public ImageSampler(UNet model, NoiseSchedule schedule, SamplingOptions options, BackendChoice backend) {
        this.model = model;
        this.schedule = schedule;
        this.options = options;
        this.backend = backend;
    }

    /**
     * Draws one image per label.
     *
     * @param labels classes; ignored, but for their number, by an unconditional model
     * @param progress called with the number of images done so far, by one worker at a time
     * @return the images, [labels.length, sampleSize², outChannels], nominally in [-1, 1] (exactly so with clipping)
     * @throws IllegalArgumentException if a label is not a class of the model
     */
    public float[] sample(int[] labels, LongConsumer progress) {
        UNetConfig config = model.config();
        requireClasses(labels, config.classes());
        int size = config.sampleSize() * config.sampleSize() * config.outChannels();
        int microBatch = Math.min(options.microBatch(), Math.max(1, labels.length));
        int workers = Math.min(options.threads(), Math.ceilDiv(labels.length, microBatch));
        Work work = new Work(labels, size, microBatch, progress);
        if (workers == 0) {
            return work.images;
        }
        try (ExecutorService executor = Executors.newFixedThreadPool(workers)) {
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < workers; i++) {
                running.add(executor.submit(() -> drain(work)));
            }
            for (Future<?> worker : running) {
                await(worker, work);
            }
        }
        return work.images;
    }

    private static void requireClasses(int[] labels, int classes) {
        for (int label : labels) {
            if (classes > 0 && (label < 0 || label >= classes)) {
                throw new IllegalArgumentException(
                        "label " + label + " is not one of the model's " + classes + " classes");
            }
        }
    }

    private static void await(Future<?> worker, Work work) {
        try {
            worker.get();
        } catch (InterruptedException e) {
            work.abandon();
            Thread.currentThread().interrupt();
            throw new IllegalStateException("sampling was interrupted", e);
        } catch (ExecutionException e) {
            work.abandon();
            switch (e.getCause()) {
                case RuntimeException cause -> throw cause;
                case Error cause -> throw cause;
                case null, default -> throw new IllegalStateException(e);
            }
        }
    }

    private void drain(Work work) {
        try (Backend own = backend.open()) {
            draw(own, work);
        } finally {
            // Nothing is left after a normal end; after a failure the other workers need not go on.
            work.abandon();
        }
    }

    private void draw(Backend own, Work work) {
        int batch = work.microBatch;
        GuidedUNet predictor = new GuidedUNet(own, model, batch, options.guidanceScale());
        SamplingLoop loop =
                new SamplingLoop(options.rule().plan(schedule, options.steps()), options.clip(), batch, work.size);
        ContinuousSampler[] noise = new ContinuousSampler[batch];
        int[] labels = new int[batch];
        for (int from = work.claim(); from < work.labels.length; from = work.claim()) {
            int count = Math.min(batch, work.labels.length - from);
            for (int slot = 0; slot < batch; slot++) {
                // The last micro-batch is filled up with repeats of its last image, which are thrown away.
                int image = from + Math.min(slot, count - 1);
                labels[slot] = work.labels[image];
                noise[slot] = noiseOf(image);
            }
            work.deliver(loop.run(predictor, noise, labels), from, count);
        }
    }

    /** The stream of image {@code index}: a counter-based generator keyed by the seed, its high counter the index. */
    private ContinuousSampler noiseOf(int index) {
        int[] keyAndCounter = {(int) options.seed(), (int) (options.seed() >>> 32), 0, 0, index, 0};
        UniformRandomProvider rng = RandomSource.PHILOX_4X32.create(keyAndCounter);
        return ZigguratSampler.NormalizedGaussian.of(rng);
    }

    /** What the workers share: the images still to be drawn and the place for those that are done. */
    private static final class Work {
        private final int[] labels;
        private final int size;
        private final int microBatch;
        private final LongConsumer progress;
        private final float[] images;
        private int next;
        private int done;

        Work(int[] labels, int size, int microBatch, LongConsumer progress) {
            this.labels = labels.clone();
            this.size = size;
            this.microBatch = microBatch;
            this.progress = progress;
            images = new float[Math.multiplyExact(labels.length, size)];
        }

        /** First image of a micro-batch that nobody else has; the number of images when there is none left. */
        synchronized int claim() {
            int from = next;
            next = Math.min(labels.length, from + microBatch);
            return from;
        }

        /** Lets every worker stop after its present micro-batch. */
        synchronized void abandon() {
            next = labels.length;
        }

        synchronized void deliver(float[] drawn, int from, int count) {
            System.arraycopy(drawn, 0, images, from * size, count * size);
            done += count;
            progress.accept(done);
        }
    }
}
