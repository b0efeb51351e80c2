package org.sapwood.evaluation;

/**
 * How a classifier is trained. The work is counted in steps, not epochs, so that sets of any size cost the same time.
 *
 * @param steps optimizer steps, at least 1
 * @param rounds how often the classifier is tried on the held-out images, evenly spread over the steps, 1 to steps
 * @param batch images per step, a multiple of {@link #MICRO_BATCH}
 * @param learningRate peak of the one-cycle schedule, > 0
 * @param heldOutFraction share of the images kept for choosing the round, in (0, 1)
 */
public record ClassifierTrainingOptions(int steps, int rounds, int batch, double learningRate, double heldOutFraction) {
    /** Images whose gradients are summed by one task; fixed, so that the bits do not depend on the threads. */
    static final int MICRO_BATCH = 16;

    /** Checks the ranges. */
    public ClassifierTrainingOptions {
        if (steps < 1 || rounds < 1 || rounds > steps) {
            throw new IllegalArgumentException(
                    "steps must be >= 1 and rounds between 1 and steps, got " + steps + " and " + rounds);
        }
        if (batch < 1 || batch % MICRO_BATCH != 0) {
            throw new IllegalArgumentException("batch must be a multiple of " + MICRO_BATCH + ", got " + batch);
        }
        if (!(learningRate > 0) || !(heldOutFraction > 0 && heldOutFraction < 1)) {
            throw new IllegalArgumentException("learningRate must be > 0 and heldOutFraction in (0, 1), got "
                    + learningRate + " and " + heldOutFraction);
        }
    }

    /** 1,000 steps of 64 images: eight passes over 8,000 images. */
    public static ClassifierTrainingOptions standard() {
        return new ClassifierTrainingOptions(1000, 10, 64, 3e-3, 0.1);
    }

    /** The same with another number of steps, tried at most ten times. */
    public ClassifierTrainingOptions withSteps(int newSteps) {
        return new ClassifierTrainingOptions(
                newSteps, Math.min(newSteps, standard().rounds()), batch, learningRate, heldOutFraction);
    }
}
