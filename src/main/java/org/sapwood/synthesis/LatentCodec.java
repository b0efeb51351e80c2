package org.sapwood.synthesis;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import java.util.function.LongConsumer;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Variable;
import org.sapwood.nn.Autoencoder;
import org.sapwood.nn.AutoencoderConfig;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.BackendChoice;

/**
 * Images to latents and back through a frozen autoencoder, by several workers. An image's latent, and a latent's image,
 * depend on it and the autoencoder alone and have the same bits for any number of threads.
 *
 * @param model autoencoder with its weights
 * @param backend that computes
 * @param threads workers, ≥ 1; change the speed alone
 */
record LatentCodec(Autoencoder model, BackendChoice backend, int threads) {
    /** Images per worker at a time. */
    private static final int BATCH = 16;

    /** Copies one input to {@code target[at…]}. */
    @FunctionalInterface
    interface Source {
        void copy(int index, float[] target, int at);
    }

    /**
     * The mean of each image's latent, times the scaling factor.
     *
     * @param progress called with the number of images done so far, by one worker at a time
     * @return [images.size(), latentSize², latentChannels]
     */
    float[] encode(TrainingImages images, LongConsumer progress) {
        AutoencoderConfig config = model.config();
        float[] moments = run(
                images.size(),
                images::copyImage,
                new int[] {config.sampleSize() * config.sampleSize(), config.channels()},
                model::encode,
                2 * config.latentLength(),
                progress);
        int width = config.latentChannels();
        float[] latents = new float[moments.length / 2];
        for (int i = 0; i < latents.length; i++) {
            latents[i] = (float) (moments[i / width * 2 * width + i % width] * config.scalingFactor());
        }
        return latents;
    }

    /**
     * The images of latents that carry the scaling factor.
     *
     * @param latents [n, latentSize², latentChannels]
     * @param progress called with the number of images done so far, by one worker at a time
     * @return [n, sampleSize², channels], held to [−1, 1]
     */
    float[] decode(float[] latents, LongConsumer progress) {
        AutoencoderConfig config = model.config();
        int length = config.latentLength();
        float[] images = run(
                latents.length / length,
                (index, target, at) -> {
                    for (int i = 0; i < length; i++) {
                        target[at + i] = (float) (latents[index * length + i] / config.scalingFactor());
                    }
                },
                new int[] {config.latentSize() * config.latentSize(), config.latentChannels()},
                model::decode,
                config.imageLength(),
                progress);
        for (int i = 0; i < images.length; i++) {
            images[i] = Math.clamp(images[i], -1f, 1f);
        }
        return images;
    }

    private float[] run(
            int count,
            Source source,
            int[] inputShape,
            BiFunction<Tape, Variable, Variable> part,
            int outputLength,
            LongConsumer progress) {
        Work work = new Work(count, new float[Math.multiplyExact(count, outputLength)], progress);
        int workers = Math.min(threads, Math.ceilDiv(count, BATCH));
        if (workers == 0) {
            return work.results;
        }
        Callable<Void> worker = () -> {
            try (Backend own = backend.open()) {
                new Lane(own, inputShape, part).run(source, work);
            }
            return null;
        };
        try (ExecutorService executor = Executors.newFixedThreadPool(
                workers, Thread.ofPlatform().daemon().name("latents-", 0).factory())) {
            List<Callable<Void>> all = new ArrayList<>();
            for (int i = 0; i < workers; i++) {
                all.add(worker);
            }
            for (Future<Void> done : executor.invokeAll(all)) {
                done.get();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while converting latents", e);
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case RuntimeException cause -> throw cause;
                case Error cause -> throw cause;
                case null, default -> throw new IllegalStateException(e);
            }
        }
        return work.results;
    }

    /** What the workers share: which inputs are still to be done, and the place for results. */
    private static final class Work {
        private final int count;
        private final float[] results;
        private final LongConsumer progress;
        private final AtomicInteger next = new AtomicInteger();
        private int done;

        Work(int count, float[] results, LongConsumer progress) {
            this.count = count;
            this.results = results;
            this.progress = progress;
        }

        /** First input of a batch that nobody else has; at least the number of inputs when there is none left. */
        int claim() {
            return next.getAndAdd(BATCH);
        }

        synchronized void deliver(float[] outputs, int from, int inputs) {
            int length = results.length / count;
            System.arraycopy(outputs, 0, results, from * length, inputs * length);
            done += inputs;
            progress.accept(done);
        }
    }

    /** One recorded copy of encoder or decoder. */
    private static final class Lane {
        private final Backend backend;
        private final Tape tape;
        private final Variable input;
        private final Variable output;
        private final float[] inputs;
        private final float[] outputs;

        Lane(Backend backend, int[] inputShape, BiFunction<Tape, Variable, Variable> part) {
            this.backend = backend;
            tape = Tape.forInference(backend, new Arena(backend));
            input = tape.input(BATCH, inputShape[0], inputShape[1]);
            output = part.apply(tape, input);
            tape.keep(output);
            tape.seal();
            inputs = new float[input.value().size()];
            outputs = new float[output.value().size()];
        }

        /** Slots that a last batch leaves over hold old inputs, whose results are thrown away. */
        void run(Source source, Work work) {
            for (int from = work.claim(); from < work.count; from = work.claim()) {
                int count = Math.min(BATCH, work.count - from);
                for (int i = 0; i < count; i++) {
                    source.copy(from + i, inputs, i * (inputs.length / BATCH));
                }
                backend.upload(inputs, 0, input.value());
                tape.forward();
                backend.download(output.value(), outputs, 0);
                work.deliver(outputs, from, count);
            }
        }
    }
}
