package org.sapwood.synthesis;

import org.sapwood.tensor.DeviceTraining;

/** The summed gradients of a logical batch in ordinary training: on the host, or on a device beside the optimizer. */
sealed interface PublicGradientSum extends GradientEngine.RowConsumer permits OrderedSum, DeviceSum {
    /** A sum over batches of {@code batch} examples, where the gradients of {@code engine} are. */
    static PublicGradientSum of(GradientEngine engine, int batch, int coordinates) {
        DeviceTraining device = engine.trainOnDevice(null);
        return device == null
                ? new OrderedSum(engine.unitsFor(batch), coordinates, engine.pool())
                : new DeviceSum(device);
    }

    /** Tells the training where its state has to be. */
    void prepare(TrainingState state);

    /** One optimizer step along {@code factor} times the sum. */
    void train(TrainingState state, float factor, double learningRate);
}
