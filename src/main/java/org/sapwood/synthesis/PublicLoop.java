package org.sapwood.synthesis;

import org.sapwood.io.RunFolder;

/**
 * The steps of ordinary training, whatever is trained: batches drawn with replacement, a learning rate that rises and
 * falls, checkpoints, progress. Everything follows from the seed.
 *
 * @param steps updates, ≥ 1
 * @param batch images per update, ≥ 1
 * @param learningRate of Adam at its peak, > 0
 * @param warmUpSteps updates over which the learning rate rises linearly, ≥ 0; it falls along a half cosine to a tenth
 *     afterwards
 * @param seed of the batches
 */
record PublicLoop(int steps, int batch, double learningRate, int warmUpSteps, long seed) {
    private static final double FINAL_SHARE = 0.1;

    /** Keys the batch draws apart from the image draws, which count examples from 0. */
    private static final long BATCH_STREAM = -1;

    /** Fills the slots of tapes with examples of a batch that is chosen beforehand. */
    interface BatchSource extends GradientEngine.DrawSource {
        /** Sets the logical batch: example e of the engine is image {@code indices[e]} at step {@code step}. */
        void select(long step, int[] indices);
    }

    /**
     * Trains from where {@code state} is to the end; the model then holds the averaged weights, and the folder the final
     * checkpoint.
     *
     * @param images number of images that batches are drawn from
     */
    void run(
            TrainingState state,
            GradientEngine engine,
            int coordinates,
            BatchSource draws,
            int images,
            RunFolder folder,
            ProgressListener progress) {
        PublicGradientSum sum = PublicGradientSum.of(engine, batch, coordinates);
        sum.prepare(state);
        CheckpointClock clock = new CheckpointClock();
        RateMeter meter = new RateMeter();
        while (state.step() < steps) {
            draws.select(state.step(), indices(state.step(), images));
            engine.run(batch, draws, sum);
            sum.train(state, 1f / batch, learningRate(state.step()));
            meter.add(batch);
            clock.maybe(() -> state.save(folder));
            progress.step(state.step(), steps, Double.NaN, meter.perSecond());
        }
        clock.now(() -> state.save(folder));
        state.finish();
    }

    private int[] indices(long step, int images) {
        int[] indices = new int[batch];
        DrawRandom random = new DrawRandom().key(seed, step, BATCH_STREAM, 0);
        for (int i = 0; i < batch; i++) {
            indices[i] = random.nextInt(images);
        }
        return indices;
    }

    private double learningRate(long step) {
        if (step < warmUpSteps) {
            return learningRate * (step + 1) / warmUpSteps;
        }
        double progress = (double) (step - warmUpSteps) / Math.max(1, steps - warmUpSteps);
        double cosine = 0.5 * (1 + Math.cos(Math.PI * progress));
        return learningRate * (FINAL_SHARE + (1 - FINAL_SHARE) * cosine);
    }
}
