package org.sapwood.nn;

import org.apache.commons.rng.UniformRandomProvider;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Variable;

/**
 * The autoencoder of a latent diffusion model (Rombach et al. 2022): diffusers' {@code AutoencoderKL} with the same
 * parameter names and the same arithmetic. The encoder gives a diagonal Gaussian for every position of a latent a
 * fraction of the image's size; the decoder makes an image of a latent.
 */
public final class Autoencoder {
    /** ε of every group normalisation; diffusers fixes it. */
    static final float NORM_EPSILON = 1e-6f;

    private final AutoencoderConfig config;
    private final ParameterSet parameters = new ParameterSet();
    private final AutoencoderEncoder encoder;
    private final AutoencoderDecoder decoder;
    private final Conv2d quant;
    private final Conv2d postQuant;

    /** A model with all parameters zero, to be initialised or loaded. */
    public Autoencoder(AutoencoderConfig config) {
        this.config = config;
        encoder = new AutoencoderEncoder(parameters, config);
        quant = new Conv2d(parameters, "quant_conv", 2 * config.latentChannels(), 2 * config.latentChannels(), 1);
        postQuant = new Conv2d(parameters, "post_quant_conv", config.latentChannels(), config.latentChannels(), 1);
        decoder = new AutoencoderDecoder(parameters, config);
    }

    public AutoencoderConfig config() {
        return config;
    }

    public ParameterSet parameters() {
        return parameters;
    }

    /** Gives every parameter a random initial value, with PyTorch's default distributions. */
    public void initialize(UniformRandomProvider rng) {
        encoder.initialize(rng);
        quant.initialize(rng);
        postQuant.initialize(rng);
        decoder.initialize(rng);
    }

    /**
     * Records the encoder.
     *
     * @param images [B, sampleSize², channels]
     * @return means and, behind them, logarithms of the variances, [B, latentSize², 2·latentChannels]
     */
    public Variable encode(Tape tape, Variable images) {
        FeatureMap x = new FeatureMap(images, config.sampleSize(), config.sampleSize());
        return quant.forward(tape, encoder.forward(tape, x)).variable();
    }

    /**
     * Records the decoder.
     *
     * @param latents as the encoder's Gaussians give them, without scaling factor, [B, latentSize², latentChannels]
     * @return [B, sampleSize², channels]
     */
    public Variable decode(Tape tape, Variable latents) {
        FeatureMap z = new FeatureMap(latents, config.latentSize(), config.latentSize());
        return decoder.forward(tape, postQuant.forward(tape, z)).variable();
    }
}
