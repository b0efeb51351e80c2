package org.sapwood.diffusion;

import org.sapwood.io.UserException;
import org.sapwood.nn.UNet;
import org.sapwood.nn.UNetConfig;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;

/**
 * A UNet with classifier-free guidance (Ho and Salimans 2022): ε̂ = ε̂(∅) + w·(ε̂(class) − ε̂(∅)), where ∅ is the last row
 * of the class embedding. Both predictions come from one batch, conditional half first; with w = 1 or w = 0 only the one
 * that counts is computed. Belongs to one worker.
 */
final class GuidedUNet implements NoisePredictor {
    private final Backend backend;
    private final DenoisingTape tape;
    private final Runnable replay;
    private final int batch;
    private final int noClass;
    private final float guidanceScale;
    private final boolean bothHalves;
    private final float[] predictions;

    GuidedUNet(Backend backend, UNet model, int batch, double guidanceScale) {
        UNetConfig config = model.config();
        boolean conditional = config.classes() > 0;
        if (!conditional && guidanceScale != 1) {
            throw new UserException("guidance scale " + guidanceScale
                    + " needs a class-conditional model; this one has no class embedding, so use 1");
        }
        this.backend = backend;
        this.batch = batch;
        this.noClass = Math.max(0, config.classes() - 1);
        this.guidanceScale = (float) guidanceScale;
        this.bothHalves = guidanceScale != 0 && guidanceScale != 1;
        tape = DenoisingTape.forSampling(
                backend, new Arena(backend), model, bothHalves ? 2 * batch : batch, conditional);
        replay = backend.record(tape::replay);
        predictions = new float[tape.prediction().size()];
    }

    @Override
    public void predict(float[] noisy, int timestep, int[] labels, float[] noise) {
        int size = noisy.length / batch;
        for (int slot = 0; slot < tape.batch(); slot++) {
            boolean guided = slot < batch && guidanceScale != 0;
            tape.setImage(slot, noisy, slot % batch * size);
            tape.setCondition(slot, timestep, guided ? labels[slot] : noClass);
        }
        tape.load();
        replay.run();
        backend.download(tape.prediction(), predictions, 0);
        if (!bothHalves) {
            System.arraycopy(predictions, 0, noise, 0, noise.length);
            return;
        }
        for (int i = 0; i < noise.length; i++) {
            float unconditional = predictions[noise.length + i];
            noise[i] = unconditional + guidanceScale * (predictions[i] - unconditional);
        }
    }
}
