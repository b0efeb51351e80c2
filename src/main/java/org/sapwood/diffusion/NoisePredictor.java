package org.sapwood.diffusion;

/** Predicts the noise in a batch of noisy images that all stand at the same timestep. */
@FunctionalInterface
interface NoisePredictor {
    /**
     * @param noisy the images, [B, size]
     * @param timestep t
     * @param labels the class of each, [B]
     * @param noise receives the prediction, [B, size]
     */
    void predict(float[] noisy, int timestep, int[] labels, float[] noise);
}
