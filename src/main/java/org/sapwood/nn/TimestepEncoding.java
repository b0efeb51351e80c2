package org.sapwood.nn;

/**
 * Sinusoidal encoding of a diffusion timestep (Vaswani et al. 2017; Ho et al. 2020), with the options of diffusers'
 * {@code get_timestep_embedding}.
 *
 * @param dimension values per timestep, even
 * @param cosineFirst diffusers' {@code flip_sin_to_cos}
 * @param frequencyShift diffusers' {@code freq_shift}: 0 divides the exponent by dimension/2, 1 by dimension/2 − 1
 */
public record TimestepEncoding(int dimension, boolean cosineFirst, int frequencyShift) {
    private static final double MAX_PERIOD = 10_000;

    public TimestepEncoding {
        if (dimension < 4 || dimension % 2 != 0) {
            throw new IllegalArgumentException("the timestep encoding needs an even dimension >= 4, got " + dimension);
        }
    }

    /** Writes the encoding of {@code timestep} to {@code target[at, at + dimension)}. */
    public void encode(float timestep, float[] target, int at) {
        int half = dimension / 2;
        for (int i = 0; i < half; i++) {
            // Rounded to float where PyTorch rounds, so that both see the same angles.
            float frequency = (float) Math.exp(-Math.log(MAX_PERIOD) * i / (half - frequencyShift));
            float angle = timestep * frequency;
            int sine = cosineFirst ? half + i : i;
            int cosine = cosineFirst ? i : half + i;
            target[at + sine] = (float) Math.sin(angle);
            target[at + cosine] = (float) Math.cos(angle);
        }
    }
}
