package org.sapwood.synthesis;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.sapwood.autograd.Parameter;
import org.sapwood.autograd.ParameterVector;
import org.sapwood.autograd.PerSampleSink;
import org.sapwood.diffusion.DenoisingTape;
import org.sapwood.io.Nchw;
import org.sapwood.io.Safetensors;
import org.sapwood.io.SafetensorsFile;
import org.sapwood.io.SafetensorsWriter;
import org.sapwood.io.StoredTensor;
import org.sapwood.io.UserException;
import org.sapwood.nn.UNet;
import org.sapwood.nn.UNetConfig;
import org.sapwood.nn.Weights;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;

/**
 * One step from given weights and inputs, example by example and without noise, so that another implementation can be
 * held against this one.
 */
public final class ParityStep {
    /** Which parameters count as trainable. */
    public enum Trainable {
        ALL,
        ATTENTION,
        LORA;

        boolean includes(String parameterName) {
            return switch (this) {
                case ALL -> true;
                case ATTENTION -> UNet.inAttention(parameterName);
                case LORA -> Weights.isLoraFactor(parameterName);
            };
        }
    }

    private final UNet model;
    private final SafetensorsFile batchFile;
    private final int batch;
    private final int channels;
    private final int size;

    private ParityStep(UNet model, SafetensorsFile batchFile) {
        this.model = model;
        this.batchFile = batchFile;
        UNetConfig config = model.config();
        size = config.sampleSize();
        channels = config.inChannels();
        int[] shape = batchFile.require("x").shape();
        if (shape.length != 4 || shape[0] < 1) {
            throw new UserException(batchFile.path() + ": x must be [B, C, H, W] with B >= 1");
        }
        batch = shape[0];
    }

    /**
     * Loads a model and a batch.
     *
     * @param config diffusers' config.json
     * @param weights safetensors, adapters included if there are any
     * @param batch safetensors with x [B, C, H, W], t [B], target [B, C', H, W] and, for a class-conditional model, y [B]
     * @param loraScale scale of the adapters
     * @throws UserException if anything does not fit
     */
    public static ParityStep load(Path config, Path weights, Path batch, float loraScale) {
        UNet model = new UNet(UNetConfig.read(config));
        Weights.load(model, Safetensors.read(weights), loraScale);
        return new ParityStep(model, Safetensors.read(batch));
    }

    /** Rank of the adapters, 0 if there are none. */
    public int loraRank() {
        return model.matrices().values().stream()
                .map(m -> m.lora() == null ? 0 : m.lora().rank())
                .max(Integer::compare)
                .orElse(0);
    }

    /**
     * Runs the step and writes {@code output} [B, C, H, W], {@code loss} [B], {@code grad_norm} [B] and
     * {@code clipped_grad_sum.<parameter>} in PyTorch layouts.
     *
     * @param clipNorm C > 0: each example's gradient over all trainable parameters is scaled to at most this norm
     */
    public void run(Backend backend, Trainable trainable, double clipNorm, Path out) {
        model.parameters().trainOnly(trainable::includes);
        ParameterVector vector = model.parameters().trainable();
        if (vector.size() == 0) {
            throw new UserException("--trainable " + trainable.name().toLowerCase(Locale.ROOT)
                    + " selects no parameter; for lora the weights file must hold lora_A and lora_B factors");
        }
        UNetConfig config = model.config();
        int tokens = size * size;
        float[] x = images("x", channels);
        float[] target = images("target", config.outChannels());
        long[] t = batchFile.require("t").requireShape(batch).toLongs();
        boolean conditional = config.classes() > 0 && batchFile.tensors().containsKey("y");
        long[] y = conditional ? labels() : new long[batch];

        Arena arena = new Arena(backend);
        DenoisingTape tape = DenoisingTape.forTraining(backend, arena, model, 1, conditional, 1f);
        PerSampleSink sink = new PerSampleSink(backend, arena, vector, 1, 1);
        float[] output = new float[batch * tokens * config.outChannels()];
        float[] loss = new float[batch];
        float[] norm = new float[batch];
        double[] sum = new double[vector.size()];
        float[] gradient = new float[vector.size()];
        double[] squaredNorm = new double[1];
        for (int b = 0; b < batch; b++) {
            tape.setImage(0, x, b * tokens * channels);
            tape.setTarget(0, target, b * tokens * config.outChannels());
            tape.setCondition(0, (float) t[b], Math.toIntExact(y[b]));
            tape.forward();
            sink.clear();
            tape.backward(sink);
            sink.finish();
            backend.download(tape.prediction(), output, b * tokens * config.outChannels());
            backend.download(tape.losses(), loss, b);
            backend.squaredNorms(sink.matrix(), 0, vector.size(), squaredNorm);
            backend.download(sink.matrix(), gradient, 0);
            double length = Math.sqrt(squaredNorm[0]);
            norm[b] = (float) length;
            double factor = Math.min(1, clipNorm / length);
            for (int j = 0; j < sum.length; j++) {
                sum[j] += gradient[j] * factor;
            }
        }
        write(vector, output, loss, norm, sum, out);
    }

    private void write(ParameterVector vector, float[] output, float[] loss, float[] norm, double[] sum, Path out) {
        int outChannels = model.config().outChannels();
        SafetensorsWriter writer = new SafetensorsWriter();
        writer.f32(
                "output",
                new int[] {batch, outChannels, size, size},
                Nchw.fromTokens(output, batch, size * size, outChannels));
        writer.f32("loss", new int[] {batch}, loss);
        writer.f32("grad_norm", new int[] {batch}, norm);
        List<Parameter> parameters = vector.parameters();
        for (int i = 0; i < parameters.size(); i++) {
            float[] memory = new float[parameters.get(i).size()];
            for (int j = 0; j < memory.length; j++) {
                memory[j] = (float) sum[vector.offset(i) + j];
            }
            Weights.put(writer, "clipped_grad_sum." + parameters.get(i).name(), parameters.get(i), memory);
        }
        writer.write(out);
    }

    private float[] images(String name, int expectedChannels) {
        StoredTensor tensor = batchFile
                .require(name)
                .requireShape(batch, expectedChannels, size, size)
                .requireFinite();
        return Nchw.toTokens(tensor.toFloats(), batch, size * size, expectedChannels);
    }

    private long[] labels() {
        long[] labels = batchFile.require("y").requireShape(batch).toLongs();
        for (long label : labels) {
            if (label < 0 || label >= model.config().classes()) {
                throw new UserException(batchFile.path() + ": y holds class " + label + ", the model has classes 0 to "
                        + (model.config().classes() - 1));
            }
        }
        return labels;
    }
}
