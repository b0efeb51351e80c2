package org.sapwood.privacy.accounting;

import org.apache.commons.numbers.gamma.Erfc;

/**
 * A discrete privacy-loss distribution on the multiples of {@code spacing} that dominates the continuous one of a
 * subsampled Gaussian step.
 *
 * <p>"Connect the dots" (Doroshenko, Ghazi, Kamath, Kumar, Manurangsi 2022, arXiv 2207.04380): the probability in a
 * cell [ih, (i+1)h] is divided between the two ends so that its mass under both P and Q is kept. The privacy curve of
 * the result meets the true one at every grid point and lies above it in between, because the true curve is convex in
 * e^ε. The share of the upper end at loss ℓ is (1 − e^{−(ℓ − ih)}) / (1 − e^{−h}), which is never negative; it is
 * integrated by Gauss–Legendre quadrature in x, so nothing cancels. Outputs beyond {@code reach} standard deviations
 * are moved to a higher loss, or to an infinite one.
 */
final class LossGrid {

    private static final double[] NODES_3 = {0.1127016653792583, 0.5, 0.8872983346207417};
    private static final double[] WEIGHTS_3 = {5 / 18.0, 8 / 18.0, 5 / 18.0};
    private static final double[] NODES_5 = {
        0.046910077030668004, 0.23076534494715845, 0.5, 0.7692346550528415, 0.953089922969332
    };
    private static final double[] WEIGHTS_5 = {
        0.11846344252809454, 0.23931433524968324, 0.28444444444444444, 0.23931433524968324, 0.11846344252809454
    };

    private final LossDirection direction;
    private final SubsampledGaussianLoss loss;
    private final double spacing;
    private final double reach;
    private final double lowestOutput;
    private final double highestOutput;
    private final long firstCell;
    private final double[] masses;
    private final long firstIndex;

    /**
     * Discretises one step.
     *
     * @param spacing h > 0
     * @param reach how many standard deviations of output are resolved on either side
     */
    LossGrid(SubsampledGaussianLoss loss, LossDirection direction, double spacing, double reach) {
        this.loss = loss;
        this.direction = direction;
        this.spacing = spacing;
        this.reach = reach;
        this.lowestOutput = -reach * loss.noiseMultiplier();
        this.highestOutput = 1 + reach * loss.noiseMultiplier();
        this.firstCell = (long) Math.floor(loss.loss(lowestOutput) / spacing);
        long lastCell = (long) Math.floor(loss.loss(highestOutput) / spacing);
        int points = Math.toIntExact(lastCell - firstCell + 2);
        this.masses = new double[points];
        this.firstIndex = direction == LossDirection.REMOVE ? firstCell : -(lastCell + 1);
        fill(lastCell);
    }

    /** log E[e^{λ·loss}; loss finite] of one step. */
    double logMoment(double lambda) {
        double largest = Math.max(lambda * firstIndex, lambda * (firstIndex + masses.length - 1)) * spacing;
        double sum = 0;
        for (int i = 0; i < masses.length; i++) {
            sum += masses[i] * Math.exp(lambda * (firstIndex + i) * spacing - largest);
        }
        return largest + Math.log(sum);
    }

    /** The largest index with a mass; its loss is {@code lastIndex() · spacing}. */
    long lastIndex() {
        return firstIndex + masses.length - 1;
    }

    /** The masses times e^{λ·loss − logMoment}, each added at its index modulo {@code window}. */
    double[] tiltedAndWrapped(double lambda, double logMoment, int window) {
        double[] wrapped = new double[window];
        for (int i = 0; i < masses.length; i++) {
            long index = firstIndex + i;
            wrapped[Math.floorMod(index, window)] += masses[i] * Math.exp(lambda * index * spacing - logMoment);
        }
        return wrapped;
    }

    /** How many discrete points a grid of this spacing would need. */
    static double size(SubsampledGaussianLoss loss, double spacing, double reach) {
        double sigma = loss.noiseMultiplier();
        return (loss.loss(1 + reach * sigma) - loss.loss(-reach * sigma)) / spacing + 2;
    }

    /** The probability, per step, of an output whose loss is counted as infinite. */
    static double tail(double reach) {
        return Erfc.value(reach / Math.sqrt(2)) / 2;
    }

    private void fill(long lastCell) {
        double sigma = loss.noiseMultiplier();
        double widest = 0.1 * Math.min(sigma, sigma * sigma);
        double low = lowestOutput;
        double lowExponent = loss.exponentAt(firstCell * spacing);
        for (long cell = firstCell; cell <= lastCell; cell++) {
            double highExponent = loss.exponentAt((cell + 1) * spacing);
            double high = Math.min(highestOutput, loss.outputAt(highExponent));
            if (high > low) {
                if (high - low <= 0.1 * widest && cell > firstCell) {
                    addNarrow(cell, low, high, lowExponent, highExponent);
                } else {
                    addWide(cell, low, high, widest);
                }
                low = high;
            }
            lowExponent = highExponent;
        }
        // The outputs beyond the reach on the side of the lowest losses: rounded up to the next grid point.
        masses[1] += tail(reach);
    }

    /** A cell whose whole width is small: the share is written with the difference of exponents, which is exact. */
    private void addNarrow(long cell, double low, double high, double lowExponent, double highExponent) {
        double q = loss.samplingRate();
        double variance = loss.noiseMultiplier() * loss.noiseMultiplier();
        double cellShare = -Math.expm1(-spacing);
        double start = loss.outputAt(lowExponent);
        double end = loss.outputAt(highExponent);
        double lowWeight = (1 - q) * Math.exp(-lowExponent);
        double highWeight = (1 - q) * Math.exp(-highExponent) + q;
        double mass = 0;
        double upper = 0;
        for (int k = 0; k < NODES_3.length; k++) {
            double x = low + NODES_3[k] * (high - low);
            double probability = WEIGHTS_3[k] * (high - low) * loss.density(direction, x);
            double share;
            if (direction == LossDirection.REMOVE) {
                double ahead = (x - start) / variance;
                share = q * Math.expm1(ahead) / (lowWeight + q * Math.exp(ahead));
            } else {
                share = -q * Math.expm1((x - end) / variance) / highWeight;
            }
            mass += probability;
            upper += probability * Math.clamp(share / cellShare, 0, 1);
        }
        add(cell, mass, upper);
    }

    /** A cell in which the loss hardly changes with the output: cut into pieces, share from the loss itself. */
    private void addWide(long cell, double low, double high, double widest) {
        double cellShare = -Math.expm1(-spacing);
        int pieces = (int) Math.ceil((high - low) / widest);
        double width = (high - low) / pieces;
        double mass = 0;
        double upper = 0;
        for (int piece = 0; piece < pieces; piece++) {
            for (int k = 0; k < NODES_5.length; k++) {
                double x = low + (piece + NODES_5[k]) * width;
                double probability = WEIGHTS_5[k] * width * loss.density(direction, x);
                double value = loss.loss(x);
                double ahead =
                        direction == LossDirection.REMOVE ? value - cell * spacing : (cell + 1) * spacing - value;
                mass += probability;
                upper += probability * Math.clamp(-Math.expm1(-ahead) / cellShare, 0, 1);
            }
        }
        add(cell, mass, upper);
    }

    private void add(long cell, double mass, double upper) {
        int lower = direction == LossDirection.REMOVE ? (int) (cell - firstCell) : (int) (-(cell + 1) - firstIndex);
        masses[lower + 1] += upper;
        masses[lower] += mass - upper;
    }
}
