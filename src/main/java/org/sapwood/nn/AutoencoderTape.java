package org.sapwood.nn;

import org.sapwood.autograd.GaussianDivergenceOp;
import org.sapwood.autograd.GaussianSampleOp;
import org.sapwood.autograd.GradientSink;
import org.sapwood.autograd.MeanSquaredErrorOp;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.TrainableTape;
import org.sapwood.autograd.Variable;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Tensor;

/**
 * An autoencoder recorded with its loss for a fixed batch. The loss of an image of n values is that of latent diffusion
 * (Rombach et al. 2022), per value: (‖x̂ − x‖² + w·KL)/n, where x̂ is decoded from one draw of the latent's Gaussian and
 * KL is the divergence of that Gaussian from N(0, I). Belongs to one worker.
 */
public final class AutoencoderTape implements TrainableTape {
    private final Backend backend;
    private final Tape tape;
    private final Variable image;
    private final Variable noise;
    private final Variable reconstructionError;
    private final Variable divergence;
    private final float[] images;
    private final float[] noises;
    private final int batch;

    /**
     * @param batch images per replay
     * @param divergenceWeight w ≥ 0
     * @param lossScale the gradients are those of lossScale times the sum of the images' losses
     */
    public AutoencoderTape(
            Backend backend, Arena arena, Autoencoder model, int batch, double divergenceWeight, float lossScale) {
        this.backend = backend;
        this.batch = batch;
        AutoencoderConfig config = model.config();
        int pixels = config.sampleSize() * config.sampleSize();
        int positions = config.latentSize() * config.latentSize();
        tape = Tape.forTraining(backend, arena);
        image = tape.input(batch, pixels, config.channels());
        noise = tape.input(batch, positions, config.latentChannels());
        Variable moments = model.encode(tape, image);
        Variable latent = GaussianSampleOp.gaussianSample(tape, moments, noise);
        Variable reconstruction = model.decode(tape, latent);
        reconstructionError = MeanSquaredErrorOp.meanSquaredError(tape, reconstruction, image, lossScale);
        divergence = GaussianDivergenceOp.gaussianDivergence(
                tape, moments, (float) (lossScale * divergenceWeight / config.imageLength()));
        tape.keep(reconstructionError);
        tape.keep(divergence);
        tape.seal();
        images = new float[image.value().size()];
        noises = new float[noise.value().size()];
    }

    /** Sets the image of one slot from {@code values[at…]}, [sampleSize², channels] in [−1, 1]. */
    public void setImage(int slot, float[] values, int at) {
        int length = images.length / batch;
        System.arraycopy(values, at, images, slot * length, length);
    }

    /** Sets the standard normal values that the latent of one slot is drawn with, [latentSize², latentChannels]. */
    public void setNoise(int slot, float[] values, int at) {
        int length = noises.length / batch;
        System.arraycopy(values, at, noises, slot * length, length);
    }

    @Override
    public void load() {
        backend.upload(images, 0, image.value());
        backend.upload(noises, 0, noise.value());
    }

    @Override
    public void replay() {
        tape.forward();
    }

    @Override
    public void backward(GradientSink sink) {
        tape.backward(sink);
    }

    /** Mean squared error of each image's reconstruction, [batch]. */
    public Tensor reconstructionErrors() {
        return reconstructionError.value();
    }

    /** KL divergence of each image's latent, [batch]. */
    public Tensor divergences() {
        return divergence.value();
    }
}
