package org.sapwood.diffusion;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sapwood.autograd.GradientSink;
import org.sapwood.autograd.MeanSquaredErrorOp;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.TrainableTape;
import org.sapwood.autograd.Variable;
import org.sapwood.autograd.WeightUse;
import org.sapwood.nn.TimestepEncoding;
import org.sapwood.nn.UNet;
import org.sapwood.nn.UNetConfig;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Indices;
import org.sapwood.tensor.Tensor;

/**
 * A UNet recorded for a fixed batch on one worker's backend: with the denoising loss for training, without it for
 * sampling. The caller fills the slots of the batch, replays, and reads. Different slots may be filled by different
 * threads.
 */
public final class DenoisingTape implements TrainableTape {
    private final Backend backend;
    private final Tape tape;
    private final TimestepEncoding encoding;
    private final Variable x;
    private final Variable time;
    private final Indices labels;
    private final Variable prediction;
    private final @Nullable Variable target;
    private final @Nullable Variable loss;
    private final float[] images;
    private final float[] targets;
    private final float[] encodings;

    private DenoisingTape(
            Backend backend, Arena arena, UNet model, int batch, boolean conditional, boolean train, float lossScale) {
        this.backend = backend;
        UNetConfig config = model.config();
        int tokens = config.sampleSize() * config.sampleSize();
        tape = train ? Tape.forTraining(backend, arena) : Tape.forInference(backend, arena);
        encoding = config.timestepEncoding();
        x = tape.input(batch, tokens, config.inChannels());
        time = tape.input(batch, 1, encoding.dimension());
        labels = new Indices(batch);
        prediction = model.forward(tape, x, time, conditional ? labels : null);
        tape.keep(prediction);
        if (train) {
            target = tape.input(batch, tokens, config.outChannels());
            loss = MeanSquaredErrorOp.meanSquaredError(tape, prediction, target, lossScale);
        } else {
            target = null;
            loss = null;
        }
        tape.seal();
        encodings = new float[batch * encoding.dimension()];
        images = new float[x.value().size()];
        targets = new float[target == null ? 0 : target.value().size()];
    }

    /**
     * A tape with loss. The gradients of the backward pass are those of lossScale·Σ_b loss[b].
     *
     * @param batch images per replay
     * @param conditional whether labels are used; true needs a model with class embedding
     * @param lossScale 1/K where K draws of an example are averaged, else 1
     */
    public static DenoisingTape forTraining(
            Backend backend, Arena arena, UNet model, int batch, boolean conditional, float lossScale) {
        return new DenoisingTape(backend, arena, model, batch, conditional, true, lossScale);
    }

    /** A tape that only predicts. */
    public static DenoisingTape forSampling(Backend backend, Arena arena, UNet model, int batch, boolean conditional) {
        return new DenoisingTape(backend, arena, model, batch, conditional, false, 1f);
    }

    /** Images per replay. */
    public int batch() {
        return labels.length();
    }

    /** Sets the noisy image of one slot from {@code noisy[at…]}, tokens × channels. */
    public void setImage(int slot, float[] noisy, int at) {
        int length = images.length / batch();
        System.arraycopy(noisy, at, images, slot * length, length);
    }

    /** Sets what the model should predict for one slot, laid out as {@link #prediction}. */
    public void setTarget(int slot, float[] values, int at) {
        require(target);
        int length = targets.length / batch();
        System.arraycopy(values, at, targets, slot * length, length);
    }

    /** Sets timestep and class of one slot. */
    public void setCondition(int slot, float timestep, int label) {
        encoding.encode(timestep, encodings, slot * encoding.dimension());
        labels.values()[slot] = label;
    }

    @Override
    public void load() {
        backend.upload(images, 0, x.value());
        if (target != null) {
            backend.upload(targets, 0, target.value());
        }
        backend.upload(encodings, 0, time.value());
    }

    /** Runs the model, and the loss if there is one, on what was loaded. */
    @Override
    public void replay() {
        tape.forward();
    }

    @Override
    public void backward(GradientSink sink) {
        require(loss);
        tape.backward(sink);
    }

    @Override
    public List<WeightUse> weightUses() {
        return tape.weightUses();
    }

    /** Predicted noise, [batch, tokens, channels]. */
    public Tensor prediction() {
        return prediction.value();
    }

    /** Mean squared error of each image, [batch]. */
    public Tensor losses() {
        return require(loss).value();
    }

    private static Variable require(@Nullable Variable variable) {
        if (variable == null) {
            throw new IllegalStateException("this tape was recorded for sampling and has no loss");
        }
        return variable;
    }
}
