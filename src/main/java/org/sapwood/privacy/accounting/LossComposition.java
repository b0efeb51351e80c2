package org.sapwood.privacy.accounting;

import java.util.List;
import org.jtransforms.fft.DoubleFFT_1D;
import org.visnow.jlargearrays.ConcurrencyUtils;

/**
 * The composed privacy-loss distribution in one direction, and the ε it gives at one δ.
 *
 * <p>The step distributions are tilted by e^{λ·loss} before the transform, with λ near the best Chernoff exponent for
 * the wanted δ. The tilted composition has its bulk where ε is, so that rounding errors of the transform are small
 * relative to δ however small δ is, and the window of the transform can be chosen around it. What can go wrong is
 * counted against the guarantee:
 * <ul>
 *   <li>mass above the window is bounded by a Chernoff bound on the discrete distribution and added to δ;
 *   <li>circular wrap-around only ever adds mass to a grid point, since all masses are nonnegative;
 *   <li>outputs beyond the resolved range have infinite loss, for every step;
 *   <li>negative values after the inverse transform count as 0, and a bound on its rounding error is added to δ.
 * </ul>
 */
final class LossComposition {

    static {
        // One transform takes milliseconds: JTransforms' thread pool would only add idle threads.
        ConcurrencyUtils.setNumberOfThreads(1);
    }

    /** Relative error allowed to the quadrature of one step's masses. */
    private static final double STEP_ERROR = 1e-12;

    private static final int SMALLEST_WINDOW = 1 << 14;
    private static final int LARGEST_WINDOW = 1 << 20;

    /** −log of the tilted probability left outside the window on either side. */
    private static final double WINDOW_LOG_ODDS = 22;

    private final List<SubsampledGaussianLoss> losses;
    private final LossDirection direction;
    private final double delta;

    private final double reach;
    private final double tilt;
    private final double reference;
    private final double lowest;
    private final double spacing;
    private final int window;

    /** Plans the discretisation. */
    LossComposition(List<SubsampledGaussianLoss> losses, LossDirection direction, double delta) {
        this.losses = losses;
        this.direction = direction;
        this.delta = delta;
        double steps =
                losses.stream().mapToDouble(SubsampledGaussianLoss::steps).sum();
        this.reach = Math.sqrt(2 * (Math.log(1e7) + Math.log(steps) - Math.log(delta)));
        TiltedMoments moments = new TiltedMoments(losses, direction, reach);
        this.tilt = moments.bestTilt(Math.log(delta));
        this.reference = Math.max(0, moments.epsilonBound(tilt, Math.log(delta)));
        double curvature = 1e-3 * Math.max(tilt, 1e-3);
        double variance = Math.max(
                        moments.cumulant(tilt + curvature)
                                - 2 * moments.cumulant(tilt)
                                + moments.cumulant(tilt - curvature),
                        0)
                / (curvature * curvature);
        double scale = variance > 0 ? 1 / Math.sqrt(variance) : tilt;
        this.lowest = Math.min(moments.lowerLevel(tilt, scale, WINDOW_LOG_ODDS), reference);
        double highest = Math.max(moments.upperLevel(tilt, scale, WINDOW_LOG_ODDS), reference);
        double width = highest - lowest;
        // Splitting a cell of width h adds at most h²/6 to the variance of a step.
        double wanted = Math.sqrt(6e-6 * variance / steps);
        double points = Math.clamp(width / wanted, SMALLEST_WINDOW, LARGEST_WINDOW);
        this.window =
                points > SMALLEST_WINDOW ? Integer.highestOneBit((int) Math.ceil(points) - 1) << 1 : SMALLEST_WINDOW;
        double most = losses.stream()
                .mapToDouble(loss -> LossGrid.size(loss, 1, reach))
                .max()
                .orElseThrow();
        this.spacing = Math.max(width / (window - 8 - Math.min(steps, window / 8.0)), most / LARGEST_WINDOW);
    }

    /** An ε with δ(ε) at most the wanted δ, or ∞ if none lies within reach. */
    double epsilon() {
        if (!(spacing > 0 && spacing < Double.POSITIVE_INFINITY)) {
            return Double.POSITIVE_INFINITY; // losses too small or too large for doubles: nothing to convolve
        }
        double theta = WINDOW_LOG_ODDS / Math.max(1e-300, spacing * window / 2);
        double[] logMagnitude = new double[window / 2 + 1];
        double[] phase = new double[window / 2 + 1];
        double steps = 0;
        double highestIndex = 0;
        double logMoment = 0;
        double logMomentAbove = 0;
        DoubleFFT_1D transform = new DoubleFFT_1D(window);
        for (SubsampledGaussianLoss loss : losses) {
            LossGrid grid = new LossGrid(loss, direction, spacing, reach);
            double one = grid.logMoment(tilt);
            double[] values = grid.tiltedAndWrapped(tilt, one, window);
            transform.realForward(values);
            accumulate(values, loss.steps(), logMagnitude, phase);
            logMoment += loss.steps() * one;
            logMomentAbove += loss.steps() * grid.logMoment(tilt + theta);
            steps += loss.steps();
            highestIndex += (double) loss.steps() * grid.lastIndex();
        }
        double roundingPerUnit = (steps * (Math.log(window) / Math.log(2) + 8) + 64) * Math.ulp(1.0);
        double[] tilted = new double[window];
        double spectralMass = power(logMagnitude, phase, tilted);
        transform.realInverse(tilted, true);

        long top = (long) Math.floor(lowest / spacing) + window - 1;
        double logTailAbove = logMomentAbove - (tilt + theta) * top * spacing;
        double tailAbove = highestIndex <= top ? 0 : Math.exp(logTailAbove);
        double infinite = steps * LossGrid.tail(reach);
        double budget = delta * (1 - Math.min(0.5, steps * STEP_ERROR)) - infinite - tailAbove;
        return invert(tilted, top, budget, logMoment - tilt * reference, roundingPerUnit * spectralMass);
    }

    private static void accumulate(double[] packed, long steps, double[] logMagnitude, double[] phase) {
        int half = packed.length / 2;
        for (int k = 0; k <= half; k++) {
            boolean real = k == 0 || k == half;
            double re = k == half ? packed[1] : packed[2 * k];
            double im = real ? 0 : packed[2 * k + 1];
            logMagnitude[k] += steps * 0.5 * Math.log(re * re + im * im);
            if (logMagnitude[k] > -80) {
                phase[k] += steps * Math.atan2(im, re);
            }
        }
    }

    /** Fills the packed spectrum of the composition and returns the sum of all magnitudes. */
    private static double power(double[] logMagnitude, double[] phase, double[] packed) {
        int half = packed.length / 2;
        double sum = 0;
        for (int k = 0; k <= half; k++) {
            double magnitude = logMagnitude[k] > -80 ? Math.exp(logMagnitude[k]) : 0;
            double re = magnitude * Math.cos(phase[k]);
            if (k == 0) {
                packed[0] = re;
            } else if (k == half) {
                packed[1] = re;
            } else {
                packed[2 * k] = re;
                packed[2 * k + 1] = magnitude * Math.sin(phase[k]);
                sum += magnitude;
            }
            sum += magnitude;
        }
        return sum;
    }

    /**
     * Walks down from the top of the window until δ(ε) exceeds the budget. Everything is kept relative to
     * e^{logScale}, where a probability at loss L is tilted(L) · e^{−λ(L − reference)}.
     */
    private double invert(double[] tilted, long top, double budget, double logScale, double rounding) {
        double target = budget * Math.exp(-logScale);
        double decay = Math.exp(-spacing);
        double share = -Math.expm1(-spacing);
        double excess = 0;
        double above = 0;
        for (long index = top; index > top - window; index--) {
            // Now excess = δ(L) and above = Σ over higher points of mass · e^{−(their loss − L)}, for L = index · h.
            double level = index * spacing;
            double mass = Math.max(0, tilted[Math.floorMod(index, window)]) * Math.exp(-tilt * (level - reference));
            double weight = above + mass;
            double margin = rounding * Math.exp(-tilt * (level - spacing - reference));
            double next = excess + weight * share;
            if (!(next + margin <= target)) {
                if (!(excess + margin <= target)) {
                    return index == top ? Double.POSITIVE_INFINITY : Math.max(0, level);
                }
                return Math.max(0, level + Math.log1p(-(target - margin - excess) / weight));
            }
            if (level <= 0) {
                return 0;
            }
            excess = next;
            above = weight * decay;
        }
        return Math.max(0, (top - window + 1) * spacing);
    }
}
