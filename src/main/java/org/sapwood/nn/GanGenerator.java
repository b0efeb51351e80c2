package org.sapwood.nn;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.commons.rng.UniformRandomProvider;
import org.sapwood.autograd.ActivationOp;
import org.sapwood.autograd.ConcatOp;
import org.sapwood.autograd.DiskLayout;
import org.sapwood.autograd.EmbeddingOp;
import org.sapwood.autograd.Parameter;
import org.sapwood.autograd.ReshapeOp;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Upsample2xOp;
import org.sapwood.autograd.Variable;
import org.sapwood.io.Safetensors;
import org.sapwood.io.SafetensorsFile;
import org.sapwood.io.SafetensorsWriter;
import org.sapwood.io.UserException;
import org.sapwood.tensor.Indices;

/**
 * The generator of a GAN: a random vector beside the embedding of a class, through a linear layer to a small feature map,
 * which two enlargements bring to the image's size. No operation mixes examples.
 */
public final class GanGenerator {
    /** The narrowest layer, a quarter of the width, is normalised in groups of four channels. */
    static final int WIDTH_MULTIPLE = 16;

    private static final int GROUP_CHANNELS = 4;
    private static final float NORM_EPSILON = 1e-5f;

    private final GanConfig config;
    private final ParameterSet parameters = new ParameterSet();
    private final Parameter classEmbedding;
    private final Linear input;
    private final GroupNorm inputNorm;
    private final Conv2d first;
    private final GroupNorm firstNorm;
    private final Conv2d second;
    private final GroupNorm secondNorm;
    private final Conv2d output;

    /** A generator with all parameters zero, to be initialised or loaded. */
    public GanGenerator(GanConfig config) {
        this.config = config;
        int width = config.generatorWidth();
        int edge = config.featureEdge();
        classEmbedding = parameters.add("class_embedding.weight", DiskLayout.SAME, config.classes(), config.latent());
        input = new Linear(parameters, "input", 2 * config.latent(), edge * edge * width);
        inputNorm = norm("input_norm", width);
        first = new Conv2d(parameters, "up.0.conv", width, width / 2, 3);
        firstNorm = norm("up.0.norm", width / 2);
        second = new Conv2d(parameters, "up.1.conv", width / 2, width / 4, 3);
        secondNorm = norm("up.1.norm", width / 4);
        output = new Conv2d(parameters, "output", width / 4, config.channels(), 3);
    }

    private GroupNorm norm(String name, int channels) {
        return new GroupNorm(parameters, name, channels, channels / GROUP_CHANNELS, NORM_EPSILON);
    }

    public GanConfig config() {
        return config;
    }

    public ParameterSet parameters() {
        return parameters;
    }

    /** Gives every parameter a random initial value. */
    public void initialize(UniformRandomProvider rng) {
        Initialization.normal(classEmbedding, 1, rng);
        for (Module module : new Module[] {input, inputNorm, first, firstNorm, second, secondNorm, output}) {
            module.initialize(rng);
        }
    }

    /**
     * Records the generator.
     *
     * @param z standard normal, [B, 1, latent]
     * @param labels class of each image, B of them
     * @return images in [−1, 1], [B, imageSize², channels]
     */
    public Variable forward(Tape tape, Variable z, Indices labels) {
        int edge = config.featureEdge();
        Variable condition = ConcatOp.concat(tape, z, EmbeddingOp.embedding(tape, classEmbedding, labels));
        Variable flat = input.forward(tape, condition);
        FeatureMap h = new FeatureMap(ReshapeOp.tokens(tape, flat, edge * edge), edge, edge);
        h = h.with(inputNorm.forwardSilu(tape, h.variable()));
        h = first.forward(tape, enlarged(tape, h));
        h = h.with(firstNorm.forwardSilu(tape, h.variable()));
        h = second.forward(tape, enlarged(tape, h));
        h = h.with(secondNorm.forwardSilu(tape, h.variable()));
        return ActivationOp.tanh(tape, output.forward(tape, h).variable());
    }

    private static FeatureMap enlarged(Tape tape, FeatureMap x) {
        Variable y = Upsample2xOp.upsample2x(tape, x.variable(), x.height(), x.width());
        return new FeatureMap(y, 2 * x.height(), 2 * x.width());
    }

    /** Writes every parameter as float32, atomically; {@code config.json} must be beside it to be read. */
    public void write(Path path) {
        SafetensorsWriter writer = new SafetensorsWriter();
        for (Parameter parameter : parameters.all()) {
            Weights.put(writer, parameter.name(), parameter, parameter.value().toArray());
        }
        writer.write(path);
    }

    /**
     * Reads a file that {@link #write} made.
     *
     * @throws UserException if it is damaged, lacks a parameter, has another shape, or holds NaN or an infinity
     */
    public static GanGenerator read(GanConfig config, Path path) {
        SafetensorsFile file = Safetensors.read(path).requireFinite();
        GanGenerator generator = new GanGenerator(config);
        Map<Parameter, float[]> values = new LinkedHashMap<>();
        for (Parameter parameter : generator.parameters.all()) {
            int[] shape =
                    parameter.layout().diskShape(parameter.value().shape()).toArray();
            values.put(
                    parameter,
                    file.require(parameter.name()).requireShape(shape).toFloats());
        }
        values.forEach(Weights::setDiskValues);
        return generator;
    }
}
