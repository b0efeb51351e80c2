package org.sapwood.synthesis;

import java.util.Arrays;
import java.util.concurrent.atomic.LongAdder;
import org.sapwood.autograd.ExampleGradients;
import org.sapwood.autograd.ParameterVector;
import org.sapwood.autograd.RowGradients;
import org.sapwood.diffusion.DpmSolver;
import org.sapwood.diffusion.ImageSampler;
import org.sapwood.diffusion.NoiseSchedule;
import org.sapwood.diffusion.SamplingOptions;
import org.sapwood.diffusion.TimestepSampler;
import org.sapwood.nn.UNet;
import org.sapwood.nn.UNetConfig;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.BackendChoice;
import org.sapwood.tensor.Tensor;

/**
 * The factor on the label embedder's gradient that gives it about half of an example's squared norm. It is measured on
 * images that the public model draws itself, so it is a function of public weights and costs no budget; and on the same
 * ones every time, so a resumed run finds the same factor. See ADR 9.
 */
final class LabelGradientScale {
    /** Of a model with random weights, whose gradients say nothing about those to come. */
    static final int FROM_SCRATCH = 64;

    private static final int LARGEST_EXPONENT = 12;
    private static final int IMAGES = 32;
    private static final int ROUNDS = 4;
    private static final int SAMPLING_STEPS = 10;

    /** Images that a worker draws together: more would take more memory than the training that follows. */
    private static final int SAMPLED_TOGETHER = 4;

    private static final long SEED = 9;

    /** Shares are added as integers, so that the order in which workers add them does not matter. */
    private static final double RESOLUTION = 0x1p40;

    private LabelGradientScale() {}

    /**
     * Measures the factor.
     *
     * @param model with the public weights; adapters, if it has any, change nothing yet
     * @param parameters of it that will train
     * @param bounded whether what the model draws is held to [−1, 1]: pixels are, latents are not
     * @param timesteps distribution of training timesteps
     * @param draws per example whose gradients are averaged
     * @param microBatch images per worker at a time, or 0 for what suits the backend
     * @param threads workers, ≥ 1; change the speed alone
     * @return a power of two in [1, 4096]; 1 if no label embedder trains
     */
    static int measure(
            UNet model,
            ParameterVector parameters,
            boolean bounded,
            NoiseSchedule schedule,
            TimestepSampler timesteps,
            int draws,
            int microBatch,
            BackendChoice backend,
            int threads) {
        LabelSpan labels = LabelSpan.of(parameters);
        if (labels.length() == 0) {
            return 1;
        }
        SamplingOptions sampling =
                new SamplingOptions(new DpmSolver(), SAMPLING_STEPS, 1, bounded, SAMPLED_TOGETHER, threads, SEED);
        float[] values = new ImageSampler(model, schedule, sampling, backend).sample(new int[IMAGES], done -> {});
        DenoisingDraws source = new DenoisingDraws(
                new Drawn(model.config(), values), schedule, timesteps, Augmentation.NONE, draws, 0, 0, SEED, threads);
        int[] all = new int[IMAGES];
        Arrays.setAll(all, i -> i);
        Shares shares = new Shares(labels, parameters.size());
        try (GradientEngine engine = new GradientEngine(
                backend, threads, model, parameters, GradientEngine.Rows.PER_EXAMPLE, microBatch, draws, true)) {
            for (int round = 0; round < ROUNDS; round++) {
                source.select(round, all);
                engine.run(IMAGES, source, shares);
            }
        }
        return shares.factorOfOneHalf();
    }

    /** What the model drew, all of one class: the label embeddings are still equal. */
    private record Drawn(UNetConfig config, float[] values) implements TrainingImages {
        @Override
        public int size() {
            return values.length / imageLength();
        }

        @Override
        public int height() {
            return config.sampleSize();
        }

        @Override
        public int width() {
            return config.sampleSize();
        }

        @Override
        public int channels() {
            return config.inChannels();
        }

        @Override
        public int label(int index) {
            return 0;
        }

        @Override
        public int classCount() {
            return 1;
        }

        @Override
        public void copyImage(int index, float[] target, int at) {
            System.arraycopy(values, index * imageLength(), target, at, imageLength());
        }
    }

    /** The label embedder's mean share in the squared norms of gradients, by factor. */
    static final class Shares implements GradientEngine.RowConsumer {
        private final LabelSpan labels;
        private final int size;
        private final LongAdder[] sums = new LongAdder[LARGEST_EXPONENT + 1];

        /**
         * @param labels the label embedder's coordinates
         * @param size number of coordinates
         */
        Shares(LabelSpan labels, int size) {
            this.labels = labels;
            this.size = size;
            Arrays.setAll(sums, exponent -> new LongAdder());
        }

        @Override
        public void accept(int worker, Backend backend, int unit, Tensor rows) {
            accept(worker, new RowGradients(backend, rows));
        }

        @Override
        public void accept(int worker, ExampleGradients gradients) {
            double[] before = squaredNorms(gradients, 0, labels.from());
            double[] own = squaredNorms(gradients, labels.from(), labels.length());
            double[] after = squaredNorms(gradients, labels.to(), size - labels.to());
            for (int i = 0; i < own.length; i++) {
                add(own[i], before[i] + after[i]);
            }
        }

        private static double[] squaredNorms(ExampleGradients gradients, int from, int length) {
            double[] norms = new double[gradients.examples()];
            if (length > 0) {
                gradients.squaredNorms(from, length, norms);
            }
            return norms;
        }

        /** Adds an example; one whose norms are not finite, or all zero, says nothing. */
        void add(double own, double others) {
            for (int exponent = 0; exponent <= LARGEST_EXPONENT; exponent++) {
                double scaled = Math.scalb(own, 2 * exponent);
                double aboveHalf = scaled / (scaled + others) - 0.5;
                if (Double.isFinite(aboveHalf)) {
                    sums[exponent].add(Math.round(aboveHalf * RESOLUTION));
                }
            }
        }

        /** The factor whose mean share is nearest to one half. */
        int factorOfOneHalf() {
            int best = 0;
            for (int exponent = 1; exponent <= LARGEST_EXPONENT; exponent++) {
                if (Math.abs(sums[exponent].sum()) < Math.abs(sums[best].sum())) {
                    best = exponent;
                }
            }
            return 1 << best;
        }
    }
}
