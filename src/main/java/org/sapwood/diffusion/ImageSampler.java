package org.sapwood.diffusion;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.sampling.distribution.ContinuousSampler;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;
import org.apache.commons.rng.simple.RandomSource;
import org.sapwood.nn.UNet;
import org.sapwood.nn.UNetConfig;
import org.sapwood.parallel.Progress;
import org.sapwood.parallel.WorkerPool;
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
        int passes = Math.ceilDiv(labels.length, microBatch);
        Work work = new Work(labels, size, progress);
        List<Backend> backends = new ArrayList<>();
        List<Drawer> drawers = new ArrayList<>();
        try (WorkerPool pool = new WorkerPool(options.threads())) {
            for (int i = 0; i < Math.min(pool.workers(), passes); i++) {
                backends.add(backend.open());
                drawers.add(new Drawer(backends.getLast(), work, microBatch));
            }
            pool.forStretches(
                    labels.length,
                    microBatch,
                    (worker, from, to) -> drawers.get(worker).draw(from, to - from));
        } finally {
            backends.forEach(Backend::close);
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

    /** The stream of image {@code index}: a counter-based generator keyed by the seed, its high counter the index. */
    private ContinuousSampler noiseOf(int index) {
        int[] keyAndCounter = {(int) options.seed(), (int) (options.seed() >>> 32), 0, 0, index, 0};
        UniformRandomProvider rng = RandomSource.PHILOX_4X32.create(keyAndCounter);
        return ZigguratSampler.NormalizedGaussian.of(rng);
    }

    /** A recorded pass of one worker and the loop that it draws with. */
    private final class Drawer {
        private final Work work;
        private final GuidedUNet predictor;
        private final SamplingLoop loop;
        private final ContinuousSampler[] noise;
        private final int[] labels;

        Drawer(Backend own, Work work, int microBatch) {
            this.work = work;
            predictor = new GuidedUNet(own, model, microBatch, options.guidanceScale());
            loop = new SamplingLoop(
                    options.rule().plan(schedule, options.steps()), options.clip(), microBatch, work.size);
            noise = new ContinuousSampler[microBatch];
            labels = new int[microBatch];
        }

        /** Draws images {@code from} to {@code from + count} − 1, at most a micro-batch. */
        void draw(int from, int count) {
            for (int slot = 0; slot < labels.length; slot++) {
                // The last micro-batch is filled up with repeats of its last image, which are thrown away.
                int image = from + Math.min(slot, count - 1);
                labels[slot] = work.labels[image];
                noise[slot] = noiseOf(image);
            }
            work.deliver(loop.run(predictor, noise, labels), from, count);
        }
    }

    /** What the workers share: the labels, and the place for images that are done. */
    private static final class Work {
        private final int[] labels;
        private final int size;
        private final Progress progress;
        private final float[] images;

        Work(int[] labels, int size, LongConsumer progress) {
            this.labels = labels;
            this.size = size;
            this.progress = new Progress(progress);
            images = new float[Math.multiplyExact(labels.length, size)];
        }

        void deliver(float[] drawn, int from, int count) {
            System.arraycopy(drawn, 0, images, from * size, count * size);
            progress.add(count);
        }
    }
}
