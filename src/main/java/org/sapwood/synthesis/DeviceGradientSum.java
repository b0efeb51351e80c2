package org.sapwood.synthesis;

import org.sapwood.privacy.aggregation.DeviceBoundedSum;
import org.sapwood.privacy.aggregation.GradientGrid;
import org.sapwood.privacy.ledger.Charge;
import org.sapwood.privacy.random.GaussianNoise;
import org.sapwood.privacy.sampling.ExpectedBatchSize;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.DeviceTraining;
import org.sapwood.tensor.Tensor;

/** The exact sum on a device, beside optimizer and weights: nothing of a step's size comes to the host. */
final class DeviceGradientSum implements PrivateGradientSum {
    private final DeviceTraining device;
    private final DeviceBoundedSum sum;
    private final int coordinates;

    DeviceGradientSum(GradientGrid grid, DeviceTraining device) {
        this.device = device;
        this.sum = new DeviceBoundedSum(grid.sumGrid(), device);
        this.coordinates = grid.sumGrid().coordinates();
    }

    @Override
    public boolean staysOnDevice() {
        return true;
    }

    @Override
    public void expect(int rows) {
        device.setCount(rows);
    }

    @Override
    public void accept(int worker, Backend backend, int unit, Tensor rows) {
        device.accumulate(rows);
    }

    @Override
    public void prepare(TrainingState state) {
        state.moveTo(device);
    }

    @Override
    public void release(
            Charge charge, GaussianNoise noise, ExpectedBatchSize batch, TrainingState state, double learningRate) {
        state.applyOnDevice(
                learningRate, (constants, averageShare) -> sum.release(charge, noise, batch, constants, averageShare));
    }

    @Override
    public double updateNorm() {
        return device.releasedNorm();
    }

    @Override
    public long[] mergedUnits() {
        long[] units = new long[coordinates];
        device.readSums(units);
        return units;
    }
}
