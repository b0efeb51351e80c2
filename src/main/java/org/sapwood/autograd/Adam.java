package org.sapwood.autograd;

import org.sapwood.tensor.AdamStep;

/**
 * Adam with decoupled weight decay (Kingma and Ba 2015; Loshchilov and Hutter 2019) over the flat vector of trainable
 * weights. Coordinates are independent, so the result does not depend on how the work is divided.
 */
public final class Adam {
    private final double beta1;
    private final double beta2;
    private final double epsilon;
    private final double weightDecay;
    private final float[] firstMoment;
    private final float[] secondMoment;
    private long steps;

    /** Adam with β₁ = 0.9, β₂ = 0.999, ε = 1e-8 and no weight decay. */
    public Adam(int size) {
        this(size, 0.9, 0.999, 1e-8, 0);
    }

    /**
     * An optimizer with zero moments.
     *
     * @param size number of weights
     * @param beta1 decay of the first moment, in [0, 1)
     * @param beta2 decay of the second moment, in [0, 1)
     * @param epsilon added to the root of the second moment, > 0
     * @param weightDecay share of a weight removed per unit of learning rate, ≥ 0
     */
    public Adam(int size, double beta1, double beta2, double epsilon, double weightDecay) {
        this.beta1 = beta1;
        this.beta2 = beta2;
        this.epsilon = epsilon;
        this.weightDecay = weightDecay;
        this.firstMoment = new float[size];
        this.secondMoment = new float[size];
    }

    /**
     * One update of {@code weights} in place.
     *
     * @param gradient same length; not changed
     * @param learningRate ≥ 0
     */
    public void step(float[] weights, float[] gradient, double learningRate) {
        update(weights, gradient, advance(learningRate, 0, 0, 0), 0, weights.length);
    }

    /**
     * Counts one update and returns its constants, for whoever makes it: {@link #update}, or a device that has the moments.
     *
     * @param learningRate of all weights but these, ≥ 0
     * @param from first weight with the rate {@code ownRate}
     * @param to one past the last such weight
     * @param ownRate ≥ 0
     */
    public AdamStep advance(double learningRate, int from, int to, double ownRate) {
        steps++;
        return new AdamStep(
                (float) beta1,
                (float) beta2,
                (float) epsilon,
                (float) (1 / Math.sqrt(1 - Math.pow(beta2, (double) steps))),
                rate(learningRate),
                rate(ownRate),
                from,
                to);
    }

    private AdamStep.Rate rate(double learningRate) {
        return new AdamStep.Rate((float) (learningRate / (1 - Math.pow(beta1, (double) steps))), (float)
                (1 - learningRate * weightDecay));
    }

    /** Makes the update of weights {@code from} to {@code to} − 1, whose constants {@link #advance} returned. */
    public void update(float[] weights, float[] gradient, AdamStep step, int from, int to) {
        int ownFrom = Math.clamp(step.from(), from, to);
        int ownTo = Math.clamp(step.to(), from, to);
        update(weights, gradient, step, step.common(), from, ownFrom);
        update(weights, gradient, step, step.own(), ownFrom, ownTo);
        update(weights, gradient, step, step.common(), ownTo, to);
    }

    private void update(float[] weights, float[] gradient, AdamStep step, AdamStep.Rate rate, int from, int to) {
        float b1 = step.beta1();
        float b2 = step.beta2();
        float eps = step.epsilon();
        float correction = step.correction();
        float stepSize = rate.stepSize();
        float keep = rate.keep();
        for (int i = from; i < to; i++) {
            float g = gradient[i];
            float m = b1 * firstMoment[i] + (1 - b1) * g;
            float v = b2 * secondMoment[i] + (1 - b2) * g * g;
            firstMoment[i] = m;
            secondMoment[i] = v;
            weights[i] = keep * weights[i] - stepSize * m / ((float) Math.sqrt(v) * correction + eps);
        }
    }

    /** Number of updates so far. */
    public long steps() {
        return steps;
    }

    /** The live first moments, for a checkpoint. */
    public float[] firstMoment() {
        return firstMoment;
    }

    /** The live second moments, for a checkpoint. */
    public float[] secondMoment() {
        return secondMoment;
    }

    /** Continues from a checkpoint, after the live moments were filled. */
    public void restore(long stepsSoFar) {
        this.steps = stepsSoFar;
    }
}
