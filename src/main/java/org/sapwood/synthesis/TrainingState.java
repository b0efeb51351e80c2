package org.sapwood.synthesis;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.sapwood.autograd.Adam;
import org.sapwood.autograd.ParameterVector;
import org.sapwood.diffusion.Ema;
import org.sapwood.io.RunFolder;
import org.sapwood.io.Safetensors;
import org.sapwood.io.SafetensorsFile;
import org.sapwood.io.SafetensorsWriter;
import org.sapwood.io.UserException;
import org.sapwood.nn.ParameterSet;
import org.sapwood.nn.UNet;
import org.sapwood.nn.Weights;
import org.sapwood.parallel.WorkerPool;
import org.sapwood.tensor.AdamStep;
import org.sapwood.tensor.DeviceTraining;

/**
 * Everything that changes during training: the trainable weights, the optimizer's moments, the averaged weights and the
 * step. Two files per checkpoint hold it: {@code checkpoint-<step>}, the whole model with averaged weights, which is what
 * is sampled and released; and {@code optimizer-<step>}, which only {@code resume} needs.
 */
final class TrainingState {
    private static final String WEIGHTS = "weights";
    private static final String AVERAGED = "averaged";
    private static final String FIRST_MOMENT = "first_moment";
    private static final String SECOND_MOMENT = "second_moment";
    private static final String COUNTERS = "counters";

    private final ParameterSet model;
    private final ParameterVector parameters;
    private final Map<String, String> metadata;
    private final float[] weights;
    private final Adam adam;
    private final double emaDecay;
    private final LabelSpan labels;
    private double labelRateFactor = 1;
    private Ema ema;
    private @Nullable DeviceTraining device;
    private long step;

    /** The start of a training run of a UNet from the values that its parameters have now. */
    TrainingState(UNet model, ParameterVector parameters, double emaDecay, Map<String, String> metadata) {
        this(model.parameters(), parameters, emaDecay, metadata);
    }

    /**
     * The start of a training run from the values that the parameters have now.
     *
     * @param model everything that a checkpoint holds
     * @param parameters what is trained
     */
    TrainingState(ParameterSet model, ParameterVector parameters, double emaDecay, Map<String, String> metadata) {
        this.model = model;
        this.parameters = parameters;
        this.metadata = metadata;
        this.emaDecay = emaDecay;
        weights = new float[parameters.size()];
        parameters.read(weights);
        adam = new Adam(weights.length);
        labels = LabelSpan.of(parameters);
        ema = new Ema(weights, emaDecay, true);
    }

    /** Updates applied so far, counting skipped ones. */
    long step() {
        return step;
    }

    /** Gives the label embedder, if it trains, a learning rate that many times the common one. */
    void scaleLabelRate(double factor) {
        labelRateFactor = factor;
    }

    /** One optimizer step along {@code gradient}, divided among a pool; the model then holds the new weights. */
    void apply(float[] gradient, double learningRate, WorkerPool pool) {
        AdamStep constants = constants(learningRate);
        double averageShare = ema.advance();
        pool.forStretches(weights.length, (worker, from, to) -> {
            adam.update(weights, gradient, constants, from, to);
            ema.update(weights, averageShare, from, to);
        });
        pool.forEach(parameters.parameters().size(), (worker, parameter) -> parameters.write(weights, parameter));
        step++;
    }

    /** Counts one step of the optimizer. */
    private AdamStep constants(double learningRate) {
        return adam.advance(learningRate, labels.from(), labels.to(), learningRate * labelRateFactor);
    }

    /**
     * Hands weights, moments and average over to a device, where each step then changes them; here they are brought up to
     * date when they are saved or used.
     */
    void moveTo(DeviceTraining newDevice) {
        newDevice.write(DeviceTraining.Vector.WEIGHTS, weights);
        newDevice.write(DeviceTraining.Vector.FIRST_MOMENT, adam.firstMoment());
        newDevice.write(DeviceTraining.Vector.SECOND_MOMENT, adam.secondMoment());
        newDevice.write(DeviceTraining.Vector.AVERAGED, ema.values());
        device = newDevice;
    }

    /** Counts one step that {@code update} makes on the device. */
    void applyOnDevice(double learningRate, DeviceUpdate update) {
        update.make(constants(learningRate), ema.advance());
        step++;
    }

    /** Makes one step on a device; arguments as of {@link DeviceTraining#update}. */
    @FunctionalInterface
    interface DeviceUpdate {
        void make(AdamStep constants, double averageShare);
    }

    /** Copies what the device has changed. */
    private void pull() {
        if (device != null) {
            device.read(DeviceTraining.Vector.WEIGHTS, weights);
            device.read(DeviceTraining.Vector.FIRST_MOMENT, adam.firstMoment());
            device.read(DeviceTraining.Vector.SECOND_MOMENT, adam.secondMoment());
            device.read(DeviceTraining.Vector.AVERAGED, ema.values());
        }
    }

    /** Counts steps whose result was lost: their budget is spent, their update is not made up for. */
    void skipTo(long spentSteps) {
        step = Math.max(step, spentSteps);
    }

    /** Ends the training: brings the state home, if it is on a device, and puts the averaged weights into the model. */
    void finish() {
        pull();
        device = null;
        parameters.write(ema.values());
    }

    /** Writes a checkpoint and removes those before the last two. */
    void save(RunFolder folder) {
        pull();
        int[] shape = {weights.length};
        new SafetensorsWriter()
                .f32(WEIGHTS, shape, weights)
                .f32(AVERAGED, shape, ema.values())
                .f32(FIRST_MOMENT, shape, adam.firstMoment())
                .f32(SECOND_MOMENT, shape, adam.secondMoment())
                .i64(COUNTERS, new int[] {3}, new long[] {step, adam.steps(), ema.updates()})
                .write(folder.optimizer(step));
        parameters.write(ema.values());
        Weights.save(model, metadata, folder.checkpoint(step));
        parameters.write(weights);
        folder.dropOldCheckpoints();
    }

    /**
     * Continues from the newest checkpoint of {@code folder}; without one, stays at the start.
     *
     * @throws UserException if its files do not fit this model
     */
    void restore(RunFolder folder) {
        folder.newestCheckpoint().ifPresent(newest -> restore(Safetensors.read(folder.optimizer(newest.step()))));
    }

    private void restore(SafetensorsFile file) {
        long[] counters = file.require(COUNTERS).requireShape(3).toLongs();
        step = counters[0];
        read(file, WEIGHTS, weights);
        read(file, FIRST_MOMENT, adam.firstMoment());
        read(file, SECOND_MOMENT, adam.secondMoment());
        adam.restore(counters[1]);
        float[] averaged = new float[weights.length];
        read(file, AVERAGED, averaged);
        ema = new Ema(averaged, emaDecay, true, counters[2]);
        parameters.write(weights);
    }

    private static void read(SafetensorsFile file, String name, float[] target) {
        float[] values =
                file.require(name).requireShape(target.length).requireFinite().toFloats();
        System.arraycopy(values, 0, target, 0, target.length);
    }
}
