package org.sapwood.synthesis;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Variable;
import org.sapwood.nn.Autoencoder;
import org.sapwood.nn.AutoencoderConfig;
import org.sapwood.parallel.WorkerPool;
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
     * @return [images.size(), latentSize², latentChannels]
     */
    float[] encode(TrainingImages images) {
        AutoencoderConfig config = model.config();
        float[] moments = run(
                images.size(),
                images::copyImage,
                new int[] {config.sampleSize() * config.sampleSize(), config.channels()},
                model::encode,
                2 * config.latentLength());
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
     * @return [n, sampleSize², channels], held to [−1, 1]
     */
    float[] decode(float[] latents) {
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
                config.imageLength());
        for (int i = 0; i < images.length; i++) {
            images[i] = Math.clamp(images[i], -1f, 1f);
        }
        return images;
    }

    private float[] run(
            int count, Source source, int[] inputShape, BiFunction<Tape, Variable, Variable> part, int outputLength) {
        float[] results = new float[Math.multiplyExact(count, outputLength)];
        int batches = Math.ceilDiv(count, BATCH);
        List<Pass> passes = new ArrayList<>();
        try (WorkerPool pool = new WorkerPool(threads)) {
            for (int i = 0; i < Math.min(pool.workers(), batches); i++) {
                passes.add(new Pass(backend.open(), inputShape, part));
            }
            pool.forStretches(
                    count, BATCH, (worker, from, to) -> passes.get(worker).run(source, from, to - from, results));
        } finally {
            passes.forEach(pass -> pass.backend.close());
        }
        return results;
    }

    /** A recorded pass of one worker through encoder or decoder. */
    private static final class Pass {
        private final Backend backend;
        private final Tape tape;
        private final Variable input;
        private final Variable output;
        private final float[] inputs;
        private final float[] outputs;

        Pass(Backend backend, int[] inputShape, BiFunction<Tape, Variable, Variable> part) {
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
        void run(Source source, int from, int count, float[] results) {
            for (int i = 0; i < count; i++) {
                source.copy(from + i, inputs, i * (inputs.length / BATCH));
            }
            backend.upload(inputs, 0, input.value());
            tape.forward();
            backend.download(output.value(), outputs, 0);
            int length = outputs.length / BATCH;
            System.arraycopy(outputs, 0, results, from * length, count * length);
        }
    }
}
