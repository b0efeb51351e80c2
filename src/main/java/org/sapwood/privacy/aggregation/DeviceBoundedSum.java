package org.sapwood.privacy.aggregation;

import org.sapwood.privacy.ledger.Charge;
import org.sapwood.privacy.random.GaussianNoise;
import org.sapwood.privacy.sampling.ExpectedBatchSize;
import org.sapwood.tensor.AdamStep;
import org.sapwood.tensor.DeviceTraining;

/**
 * A {@link BoundedSum} that lives on a device with the training state that its releases go to: gradients enter by
 * {@link DeviceTraining#accumulate}, and nothing leaves but what was noised. A release needs a charge and a noise stream
 * of its own, as there. Not thread-safe.
 */
public final class DeviceBoundedSum {
    private final SumGrid grid;
    private final DeviceTraining device;

    /**
     * @param grid of the plan that {@code device} clips by
     * @param device whose sums are empty
     */
    public DeviceBoundedSum(SumGrid grid, DeviceTraining device) {
        this.grid = grid;
        this.device = device;
    }

    /**
     * Adds Gaussian noise of standard deviation σ · sensitivity, rounded to the grid, to every coordinate, and trains on
     * the mean over the public batch size. The sum is empty afterwards.
     *
     * @param charge proof that the ledger has recorded this step; σ comes from its event
     * @param noise a fresh stream
     * @param batch the public constant B
     * @param step constants of the update
     * @param averageShare share of the new weights in their average
     * @throws IllegalStateException if the charge or the noise was used before
     * @throws IllegalArgumentException if the charged event states another sensitivity than this sum has
     */
    public void release(
            Charge charge, GaussianNoise noise, ExpectedBatchSize batch, AdamStep step, double averageShare) {
        double noiseMultiplier = charge.claim(grid.sensitivity());
        DeviceTraining.Noise handed = noise.handOver(noiseMultiplier * grid.sensitivity() / grid.step());
        device.release(handed, grid.step() / batch.examples(), step, averageShare);
    }
}
