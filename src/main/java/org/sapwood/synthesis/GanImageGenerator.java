package org.sapwood.synthesis;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.sampling.distribution.ContinuousSampler;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;
import org.apache.commons.rng.simple.RandomSource;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Variable;
import org.sapwood.diffusion.SamplingOptions;
import org.sapwood.nn.GanConfig;
import org.sapwood.nn.GanGenerator;
import org.sapwood.parallel.Progress;
import org.sapwood.parallel.WorkerPool;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.BackendChoice;
import org.sapwood.tensor.Indices;

/**
 * The generator of a GAN. One pass makes an image, so of the sampling options only threads, micro-batch and seed apply.
 *
 * @param model with its weights
 */
public record GanImageGenerator(GanGenerator model) implements ImageGenerator {
    /**
     * Reads a checkpoint.
     *
     * @param config its {@code config.json}
     * @param weights the safetensors file
     * @throws org.sapwood.io.UserException if one is damaged or they do not fit together
     */
    public static GanImageGenerator read(Path config, Path weights) {
        return new GanImageGenerator(GanGenerator.read(GanConfig.read(config), weights));
    }

    @Override
    public int classes() {
        return model.config().classes();
    }

    @Override
    public boolean canBeGuided() {
        return false;
    }

    @Override
    public int imageSize() {
        return model.config().imageSize();
    }

    @Override
    public int channels() {
        return model.config().channels();
    }

    @Override
    public float[] draw(int[] labels, SamplingOptions options, BackendChoice backend, LongConsumer progress) {
        float[] images =
                new float[Math.multiplyExact(labels.length, model.config().imageLength())];
        int batch = options.microBatch();
        Progress done = new Progress(progress);
        List<Pass> passes = new ArrayList<>();
        try (WorkerPool pool = new WorkerPool(options.threads())) {
            for (int i = 0; i < Math.min(pool.workers(), Math.ceilDiv(labels.length, batch)); i++) {
                passes.add(new Pass(backend.open(), batch));
            }
            pool.forStretches(labels.length, batch, (worker, from, to) -> {
                passes.get(worker).draw(labels, from, to - from, options.seed(), images);
                done.add(to - from);
            });
        } finally {
            passes.forEach(pass -> pass.backend.close());
        }
        return images;
    }

    /** A recorded pass of one worker. */
    private final class Pass {
        private final Backend backend;
        private final Tape tape;
        private final Variable latent;
        private final Variable output;
        private final Indices classes;
        private final float[] z;
        private final float[] pixels;

        Pass(Backend backend, int batch) {
            this.backend = backend;
            tape = Tape.forInference(backend, new Arena(backend));
            latent = tape.input(batch, 1, model.config().latent());
            classes = new Indices(batch);
            output = model.forward(tape, latent, classes);
            tape.keep(output);
            tape.seal();
            z = new float[batch * model.config().latent()];
            pixels = new float[batch * model.config().imageLength()];
        }

        void draw(int[] labels, int from, int count, long seed, float[] images) {
            int length = model.config().latent();
            for (int i = 0; i < count; i++) {
                UniformRandomProvider rng = RandomSource.XO_SHI_RO_256_PP.create(new long[] {seed, from + i, 1, 2});
                ContinuousSampler gaussian = ZigguratSampler.NormalizedGaussian.of(rng);
                for (int j = 0; j < length; j++) {
                    z[i * length + j] = (float) gaussian.sample();
                }
                classes.values()[i] = labels[from + i];
            }
            backend.upload(z, 0, latent.value());
            tape.forward();
            backend.download(output.value(), pixels, 0);
            int imageLength = model.config().imageLength();
            System.arraycopy(pixels, 0, images, from * imageLength, count * imageLength);
        }
    }
}
