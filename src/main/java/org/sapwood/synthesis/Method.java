package org.sapwood.synthesis;

import java.util.Locale;

/** A way to train on sensitive images: which weights change, and whether privately. */
public enum Method {
    /** Adapters on the matrices that a private saliency query selects (arXiv 2605.30312). */
    DP_SAPF(true),
    /** Adapters on all candidate matrices. */
    DP_LORA(true),
    /** Every weight of a diffusion model, from a public one or from scratch (arXiv 2302.13861). */
    DP_DIFFUSION(true),
    /** Transformer blocks of a latent diffusion model (arXiv 2305.15759). */
    DP_LDM(true),
    /** A GAN whose discriminator sees the images only as noised sums of features (arXiv 2304.12185, sound variant). */
    DPAF(true),
    /** Every weight of a diffusion model, without clipping and noise: an upper bound that must not be released. */
    NON_PRIVATE(false);

    private final boolean isPrivate;

    Method(boolean isPrivate) {
        this.isPrivate = isPrivate;
    }

    /** Whether a privacy guarantee is made. */
    public boolean isPrivate() {
        return isPrivate;
    }

    /** Whether low-rank adapters train, and not the weights themselves. */
    public boolean adapts() {
        return this == DP_SAPF || this == DP_LORA;
    }

    /** The name on the command line, such as {@code dp-sapf}. */
    public String text() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
