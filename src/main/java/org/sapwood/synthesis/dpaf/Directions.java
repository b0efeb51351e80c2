package org.sapwood.synthesis.dpaf;

/**
 * The gradients of the discriminator's loss in the aggregates, at <em>noised</em> aggregates of real images and at
 * aggregates of generated ones, in a common scale in which those of the real ones have root mean square norm 1 over the
 * classes. Only {@link AdversarialTrainer} makes them.
 *
 * @param real v of every class, [K, p², m]
 * @param generated the same for generated images
 */
record Directions(float[] real, float[] generated) {
    static Directions normalised(float[] real, float[] generated, int classes) {
        double squares = 0;
        for (float value : real) {
            squares += (double) value * value;
        }
        float factor = squares > 0 ? (float) (1 / Math.sqrt(squares / classes)) : 0;
        float[] scaledReal = new float[real.length];
        float[] scaledGenerated = new float[real.length];
        for (int i = 0; i < real.length; i++) {
            scaledReal[i] = real[i] * factor;
            scaledGenerated[i] = generated[i] * factor;
        }
        return new Directions(scaledReal, scaledGenerated);
    }
}
