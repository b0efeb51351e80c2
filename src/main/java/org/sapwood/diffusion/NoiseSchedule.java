package org.sapwood.diffusion;

import java.util.function.IntToDoubleFunction;
import org.sapwood.io.UserException;

/**
 * How much of an image is left at each timestep of the forward diffusion: x_t = √ᾱ_t·x_0 + √(1 − ᾱ_t)·ε with
 * ε ~ N(0, I) and ᾱ_t falling from almost 1 at t = 0 to almost 0 at t = steps − 1. Immutable.
 */
public final class NoiseSchedule {
    /** The schedule of a model that names none. */
    public static final String DEFAULT_NAME = "linear";

    /** Steps of the process that the constants of both schedules were published for. */
    private static final int PUBLISHED_STEPS = 1000;

    private static final double FIRST_BETA = 1e-4;
    private static final double LAST_BETA = 2e-2;
    private static final double MAX_BETA = 0.999;
    private static final double COSINE_OFFSET = 0.008;

    private final String name;
    private final double[] alphaBar;

    private NoiseSchedule(String name, int steps, IntToDoubleFunction beta) {
        if (steps < 1) {
            throw new IllegalArgumentException("a noise schedule needs >= 1 steps, got " + steps);
        }
        this.name = name;
        alphaBar = new double[steps];
        double product = 1;
        for (int t = 0; t < steps; t++) {
            product *= 1 - Math.min(MAX_BETA, beta.applyAsDouble(t));
            alphaBar[t] = product;
        }
    }

    /**
     * Ho, Jain and Abbeel 2020 (DDPM): β_t rises linearly from 1e-4 to 2e-2 over 1000 steps. For another number of steps
     * both ends are scaled by 1000/steps, so that the last image is noise all the same.
     *
     * @param steps T ≥ 1
     */
    public static NoiseSchedule linear(int steps) {
        double scale = (double) PUBLISHED_STEPS / steps;
        double slope = steps == 1 ? 0 : (LAST_BETA - FIRST_BETA) / (steps - 1);
        return new NoiseSchedule("linear", steps, t -> scale * (FIRST_BETA + slope * t));
    }

    /**
     * Nichol and Dhariwal 2021, equation 17: ᾱ follows cos²((t/T + s)/(1 + s)·π/2) with s = 0.008 and β_t ≤ 0.999.
     *
     * @param steps T ≥ 1
     */
    public static NoiseSchedule cosine(int steps) {
        return new NoiseSchedule(
                "cosine", steps, t -> 1 - cosine((t + 1) / (double) steps) / cosine(t / (double) steps));
    }

    private static double cosine(double fraction) {
        double c = Math.cos((fraction + COSINE_OFFSET) / (1 + COSINE_OFFSET) * Math.PI / 2);
        return c * c;
    }

    /**
     * The schedule that a configuration names.
     *
     * @param text {@code linear} or {@code cosine}, over 1000 steps unless a number of steps follows: {@code linear:500}
     * @throws UserException for any other text
     */
    public static NoiseSchedule named(String text) {
        int colon = text.indexOf(':');
        String steps = colon < 0 ? String.valueOf(PUBLISHED_STEPS) : text.substring(colon + 1);
        if (!steps.matches("[1-9]\\d{0,5}")) {
            throw new UserException("noise schedule '" + text + "': the number of steps must be in [1, 999999]");
        }
        int count = Integer.parseInt(steps);
        return switch (colon < 0 ? text : text.substring(0, colon)) {
            case "linear" -> linear(count);
            case "cosine" -> cosine(count);
            default ->
                throw new UserException(
                        "unknown noise schedule '" + text + "', expected linear or cosine, or such as linear:500");
        };
    }

    /** {@code linear} or {@code cosine}. */
    public String name() {
        return name;
    }

    /** T. */
    public int steps() {
        return alphaBar.length;
    }

    /**
     * ᾱ_t, the share of the variance that still comes from the image.
     *
     * @param t in [0, steps)
     */
    public double alphaBar(int t) {
        return alphaBar[t];
    }

    /**
     * λ_t = ½·log(ᾱ_t/(1 − ᾱ_t)), half the logarithm of the signal-to-noise ratio; falls with t.
     *
     * @param t in [0, steps)
     */
    public double lambda(int t) {
        return 0.5 * (Math.log(alphaBar[t]) - Math.log1p(-alphaBar[t]));
    }

    /**
     * One step of the forward process: noisy = √ᾱ_t·clean + √(1 − ᾱ_t)·noise, for {@code length} values from the three
     * starting points on.
     *
     * @param t in [0, steps)
     */
    public void addNoise(
            float[] clean, int cleanAt, float[] noise, int noiseAt, int t, float[] noisy, int noisyAt, int length) {
        float signal = (float) Math.sqrt(alphaBar[t]);
        float sigma = (float) Math.sqrt(1 - alphaBar[t]);
        for (int i = 0; i < length; i++) {
            noisy[noisyAt + i] = signal * clean[cleanAt + i] + sigma * noise[noiseAt + i];
        }
    }

    /** The text that {@link #named} reads, such as {@code linear:1000}. */
    @Override
    public String toString() {
        return name + ":" + steps();
    }
}
