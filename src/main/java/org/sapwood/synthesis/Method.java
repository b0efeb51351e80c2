package org.sapwood.synthesis;

import java.util.Locale;

/** Which weights of the public model train, and whether privately. */
public enum Method {
    /** Adapters on the matrices that a private saliency query selects (arXiv 2605.30312). */
    DP_SAPF(true),
    /** Adapters on all candidate matrices. */
    DP_LORA(true),
    /** Every weight, without clipping and noise: an upper bound that must not be released. */
    NON_PRIVATE(false);

    private final boolean isPrivate;

    Method(boolean isPrivate) {
        this.isPrivate = isPrivate;
    }

    /** Whether a privacy guarantee is made. */
    public boolean isPrivate() {
        return isPrivate;
    }

    /** The name on the command line, such as {@code dp-sapf}. */
    public String text() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
