package org.sapwood.nn;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.sapwood.io.RunFolder;
import org.sapwood.io.Safetensors;
import org.sapwood.io.SafetensorsFile;
import org.sapwood.io.UserException;

/**
 * Where a model stands on disk: a {@code .safetensors} file beside its {@code config.json}, or a diffusers folder.
 *
 * @param config diffusers' configuration
 * @param weights the safetensors file
 */
public record ModelFolder(Path config, Path weights) {
    /** Metadata key of the adapters' scale s. */
    public static final String LORA_SCALE = "lora_scale";

    /** Metadata key of the noise schedule that the model was trained with, such as {@code linear}. */
    public static final String NOISE_SCHEDULE = "noise_schedule";

    private static final String CONFIG = "config.json";
    private static final List<String> DIFFUSERS_NAMES = List.of(
            "diffusion_pytorch_model.safetensors", "unet/diffusion_pytorch_model.safetensors", "model.safetensors");
    private static final String PICKLED = "diffusion_pytorch_model.bin";

    /**
     * A model read from disk.
     *
     * @param unet with all weights and adapters
     * @param metadata as of {@link ModelFolder#metadata}
     */
    public record Loaded(UNet unet, Map<String, String> metadata) {}

    /**
     * Finds a model.
     *
     * @param path a safetensors file, the folder of a run, whose newest checkpoint is taken, or a folder that holds one
     *     under diffusers' name
     * @throws UserException if there is none, or no config.json beside it
     */
    public static ModelFolder find(Path path) {
        Path weights = Files.isDirectory(path) ? inFolder(path) : path;
        if (!Files.isRegularFile(weights)) {
            throw new UserException("model " + path + " does not exist; expected a .safetensors file or a folder");
        }
        Path config = weights.resolveSibling(CONFIG);
        if (!Files.isRegularFile(config)) {
            throw new UserException(
                    "model " + weights + " needs its " + CONFIG + " beside it, " + config + " does not exist");
        }
        return new ModelFolder(config, weights);
    }

    private static Path inFolder(Path folder) {
        for (String name : DIFFUSERS_NAMES) {
            Path candidate = folder.resolve(name);
            if (Files.isRegularFile(candidate)) {
                return candidate;
            }
        }
        if (RunFolder.exists(folder)) {
            return RunFolder.open(folder)
                    .newestCheckpoint()
                    .orElseThrow(() -> new UserException("the run " + folder + " holds no checkpoint yet"))
                    .path();
        }
        boolean pickled = Files.isRegularFile(folder.resolve(PICKLED));
        throw new UserException("model folder " + folder + " holds none of " + String.join(", ", DIFFUSERS_NAMES) + "; "
                + (pickled
                        ? PICKLED + " is a Python pickle, which can run any code when read: convert it to safetensors"
                        : "name the .safetensors file itself"));
    }

    /**
     * The metadata of the weights. Where they do not name the noise schedule, diffusers' {@code scheduler_config.json}
     * does, beside them or in the pipeline that they belong to.
     *
     * @throws UserException if the model was trained for a schedule or a prediction that is not supported
     */
    public Map<String, String> metadata() {
        return metadata(Safetensors.read(weights));
    }

    private Map<String, String> metadata(SafetensorsFile file) {
        Map<String, String> metadata = new LinkedHashMap<>(file.metadata());
        Path folder = weights.toAbsolutePath().getParent();
        if (folder != null && !metadata.containsKey(NOISE_SCHEDULE)) {
            DiffusersScheduler.noiseSchedule(folder).ifPresent(name -> metadata.put(NOISE_SCHEDULE, name));
        }
        return metadata;
    }

    /**
     * Reads configuration and weights.
     *
     * @throws UserException naming the file and what in it is missing, unknown or not supported
     */
    public Loaded load() {
        SafetensorsFile file = Safetensors.read(weights);
        Map<String, String> metadata = metadata(file);
        UNet unet = new UNet(UNetConfig.read(config));
        String scale = metadata.getOrDefault(LORA_SCALE, "1");
        try {
            Weights.load(unet, file, Float.parseFloat(scale));
        } catch (NumberFormatException e) {
            throw new UserException(weights + ": metadata " + LORA_SCALE + " must be a number, got " + scale, e);
        }
        return new Loaded(unet, metadata);
    }

    /** Writes {@code config.json} into the folder of a run, where its checkpoints find it. */
    public static void writeConfig(UNetConfig config, RunFolder folder) {
        folder.writeJson(folder.path().resolve(CONFIG), config.toJson());
    }
}
