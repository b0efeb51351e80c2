package org.sapwood.synthesis;

import org.apache.commons.rng.UniformRandomProvider;

/**
 * Randomness of the draws (augmentation, timestep, diffusion noise, label dropout), a SplitMix64 sequence keyed by what
 * the draw is for. It can be re-keyed without allocating, which a library generator cannot. Nothing the privacy
 * guarantee rests on comes from here.
 */
final class DrawRandom implements UniformRandomProvider {
    private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

    private long state;

    /** Starts the sequence that belongs to the given coordinates. */
    DrawRandom key(long seed, long step, long example, long draw) {
        state = mix(mix(mix(mix(seed + GOLDEN_GAMMA) + step) + example) + draw);
        return this;
    }

    @Override
    public long nextLong() {
        state += GOLDEN_GAMMA;
        return mix(state);
    }

    /** The finaliser of SplitMix64 (Steele, Lea and Flood 2014), a bijection that avalanches. */
    private static long mix(long z) {
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
