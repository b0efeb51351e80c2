package org.sapwood.nn;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.sapwood.autograd.LoraFactors;
import org.sapwood.autograd.Parameter;
import org.sapwood.io.SafetensorsFile;
import org.sapwood.io.SafetensorsWriter;
import org.sapwood.io.StoredTensor;
import org.sapwood.io.UserException;
import org.sapwood.tensor.Shape;

/** Moves parameters between a model and safetensors files in PyTorch layouts and diffusers' names. */
public final class Weights {
    /** Names in older diffusers files, by their present-day equivalents. */
    private static final Map<String, String> OLD_ATTENTION_NAMES =
            Map.of(".query.", ".to_q.", ".key.", ".to_k.", ".value.", ".to_v.", ".proj_attn.", ".to_out.0.");

    private static final String LORA_A = ".lora_A.weight";
    private static final String LORA_B = ".lora_B.weight";

    private Weights() {}

    /**
     * Loads every parameter of {@code model} from {@code file}. Adapters found in the file are added to the model first.
     *
     * @param loraScale scale s of the adapters found
     * @throws UserException if a parameter is missing, unknown, of another shape, or holds NaN or an infinity; the model
     *     is then unchanged
     */
    public static void load(UNet model, SafetensorsFile file, float loraScale) {
        Map<String, StoredTensor> stored = presentDayNames(file);
        Map<Parameter, float[]> values = takeAll(file, stored, model.parameters());
        List<FoundAdapter> adapters = findAdapters(model, file, stored);
        requireAllTaken(file, stored);
        values.forEach(Weights::setDiskValues);
        for (FoundAdapter found : adapters) {
            LoraFactors factors = found.matrix().adapt(model.parameters(), found.rank(), loraScale);
            setDiskValues(factors.a(), found.a());
            setDiskValues(factors.b(), found.b());
        }
    }

    /**
     * Loads every parameter of a model without adapters.
     *
     * @throws UserException if a parameter is missing, unknown, of another shape, or holds NaN or an infinity; the model
     *     is then unchanged
     */
    public static void load(ParameterSet parameters, SafetensorsFile file) {
        Map<String, StoredTensor> stored = presentDayNames(file);
        Map<Parameter, float[]> values = takeAll(file, stored, parameters);
        requireAllTaken(file, stored);
        values.forEach(Weights::setDiskValues);
    }

    /** Removes the parameters' tensors from {@code stored} and returns their values, checked. */
    private static Map<Parameter, float[]> takeAll(
            SafetensorsFile file, Map<String, StoredTensor> stored, ParameterSet parameters) {
        Map<Parameter, float[]> values = new LinkedHashMap<>();
        for (Parameter parameter : parameters.all()) {
            Shape expected = parameter.layout().diskShape(parameter.value().shape());
            values.put(parameter, take(file, stored, parameter.name(), expected));
        }
        return values;
    }

    private static void requireAllTaken(SafetensorsFile file, Map<String, StoredTensor> stored) {
        if (!stored.isEmpty()) {
            throw new UserException(file.path() + ": the model has no parameter "
                    + stored.keySet().iterator().next() + " (" + stored.size()
                    + " unknown in all); is config.json the right one?");
        }
    }

    /** Factors in a file whose shapes fit a matrix that has no adapter yet. */
    private record FoundAdapter(Adaptable matrix, int rank, float[] a, float[] b) {}

    private static List<FoundAdapter> findAdapters(UNet model, SafetensorsFile file, Map<String, StoredTensor> stored) {
        List<FoundAdapter> adapters = new ArrayList<>();
        for (Map.Entry<String, StoredTensor> entry : List.copyOf(stored.entrySet())) {
            String name = entry.getKey();
            if (!name.endsWith(LORA_A)) {
                continue;
            }
            String base = name.substring(0, name.length() - LORA_A.length());
            Adaptable matrix = model.matrices().get(base + ".weight");
            if (matrix == null) {
                throw new UserException(
                        file.path() + ": " + name + " adapts " + base + ".weight, which the model lacks");
            }
            Parameter weight = matrix.weight();
            int[] shapeA = weight.layout().diskShape(weight.value().shape()).toArray();
            int[] shapeB = shapeA.clone();
            int[] actual = entry.getValue().shape();
            int rank = actual.length == 0 ? 0 : actual[0];
            if (rank < 1) {
                throw new UserException(file.path() + ": " + name + " has shape " + Shape.of(actual)
                        + ", expected a LoRA factor of rank >= 1");
            }
            shapeA[0] = rank;
            shapeB[1] = rank;
            for (int axis = 2; axis < shapeB.length; axis++) {
                shapeB[axis] = 1;
            }
            float[] a = take(file, stored, name, Shape.of(shapeA));
            float[] b = take(file, stored, base + LORA_B, Shape.of(shapeB));
            adapters.add(new FoundAdapter(matrix, rank, a, b));
        }
        return adapters;
    }

    /** Removes a tensor from {@code stored} and returns its values, checked. */
    private static float[] take(SafetensorsFile file, Map<String, StoredTensor> stored, String name, Shape expected) {
        StoredTensor tensor = stored.remove(name);
        if (tensor == null) {
            throw new UserException(file.path() + ": parameter " + name
                    + " is missing; is this file of the model that config.json describes?");
        }
        if (!Shape.of(tensor.shape()).equals(expected)) {
            throw new UserException(file.path() + ": parameter " + name + " has shape " + Shape.of(tensor.shape())
                    + ", the model expects " + expected);
        }
        return tensor.requireFinite().toFloats();
    }

    private static Map<String, StoredTensor> presentDayNames(SafetensorsFile file) {
        Map<String, StoredTensor> renamed = new LinkedHashMap<>();
        for (Map.Entry<String, StoredTensor> entry : file.tensors().entrySet()) {
            String name = entry.getKey();
            if (UNet.inAttention(name)) {
                for (Map.Entry<String, String> rename : OLD_ATTENTION_NAMES.entrySet()) {
                    name = name.replace(rename.getKey(), rename.getValue());
                }
            }
            renamed.put(name, entry.getValue());
        }
        return renamed;
    }

    /** Whether {@code name} is a LoRA factor. */
    public static boolean isLoraFactor(String name) {
        return name.endsWith(LORA_A) || name.endsWith(LORA_B);
    }

    /** Sets a parameter from elements in disk order. */
    public static void setDiskValues(Parameter parameter, float[] disk) {
        float[] memory = parameter.layout().toMemory(disk, parameter.value().shape());
        System.arraycopy(memory, 0, parameter.value().array(), parameter.value().offset(), memory.length);
    }

    /**
     * Adds a vector shaped like {@code parameter} to a file, in disk layout.
     *
     * @param name of the tensor in the file
     * @param memory elements in memory order
     */
    public static void put(SafetensorsWriter writer, String name, Parameter parameter, float[] memory) {
        Shape shape = parameter.value().shape();
        writer.f32(
                name,
                parameter.layout().diskShape(shape).toArray(),
                parameter.layout().toDisk(memory, shape));
    }

    /** Writes every parameter of {@code model}, adapters included, as float32. */
    public static void save(UNet model, Map<String, String> metadata, Path path) {
        save(model.parameters(), metadata, path);
    }

    /**
     * Writes parameters as float32.
     *
     * @param metadata free text beside the weights
     */
    public static void save(ParameterSet parameters, Map<String, String> metadata, Path path) {
        SafetensorsWriter writer = new SafetensorsWriter();
        metadata.forEach(writer::metadata);
        for (Parameter parameter : parameters.all()) {
            put(writer, parameter.name(), parameter, parameter.value().toArray());
        }
        writer.write(path);
    }
}
