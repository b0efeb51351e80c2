package org.sapwood.synthesis;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.DeviceTraining;
import org.sapwood.tensor.Tensor;

/** The summed gradient on a device: the one row in which the engine has added up all micro-batches. */
final class DeviceSum implements PublicGradientSum {
    private final DeviceTraining device;
    private @Nullable Tensor row;

    DeviceSum(DeviceTraining device) {
        this.device = device;
    }

    @Override
    public void accept(int worker, Backend backend, int unit, Tensor rows) {
        row = rows;
    }

    @Override
    public boolean staysOnDevice() {
        return true;
    }

    @Override
    public void prepare(TrainingState state) {
        state.moveTo(device);
    }

    @Override
    public void train(TrainingState state, float factor, double learningRate) {
        Tensor gradient = Objects.requireNonNull(row, "the engine has run");
        state.applyOnDevice(
                learningRate, (constants, averageShare) -> device.update(gradient, factor, constants, averageShare));
    }
}
