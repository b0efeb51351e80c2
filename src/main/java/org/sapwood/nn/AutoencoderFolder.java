package org.sapwood.nn;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.sapwood.io.AtomicFiles;
import org.sapwood.io.IoReasons;
import org.sapwood.io.Json;
import org.sapwood.io.RunFolder;
import org.sapwood.io.Safetensors;
import org.sapwood.io.UserException;

/**
 * Where a trained autoencoder stands on disk, as in a diffusers pipeline: {@code vae/config.json} and
 * {@code vae/diffusion_pytorch_model.safetensors} beside the model that works on its latents.
 *
 * @param path the folder of the two files
 */
public record AutoencoderFolder(Path path) {
    private static final String FOLDER = "vae";
    private static final String CONFIG = "config.json";
    private static final String WEIGHTS = "diffusion_pytorch_model.safetensors";

    /** diffusers' folder of the diffusion model, beside {@code vae}. */
    private static final String UNET = "unet";

    /**
     * Finds a finished autoencoder.
     *
     * @param path the folder of a run or of a diffusers pipeline, or the {@code vae} folder itself
     * @throws UserException if there is none
     */
    public static AutoencoderFolder find(Path path) {
        AutoencoderFolder within = of(path);
        if (within.isComplete()) {
            return within;
        }
        AutoencoderFolder itself = new AutoencoderFolder(path);
        if (itself.isComplete()) {
            return itself;
        }
        boolean unfinished = Files.isRegularFile(path.resolve("run.json"));
        throw new UserException(
                "the autoencoder " + path + " does not exist: neither it nor " + FOLDER + "/ in it holds "
                        + CONFIG + " and " + WEIGHTS
                        + (unfinished ? "; if its training was killed, go on with: sapwood resume " + path : ""));
    }

    /**
     * The autoencoder whose latents a model works on.
     *
     * @return empty for a model of pixels
     */
    public static Optional<AutoencoderFolder> beside(ModelFolder model) {
        Path folder = model.weights().toAbsolutePath().getParent();
        if (folder == null) {
            return Optional.empty();
        }
        Path pipeline = folder.endsWith(UNET) ? folder.getParent() : null;
        AutoencoderFolder found = of(pipeline == null ? folder : pipeline);
        return found.isComplete() ? Optional.of(found) : Optional.empty();
    }

    /**
     * The autoencoder in the folder of a run.
     *
     * @return empty if the run's model is one of pixels
     */
    public static Optional<AutoencoderFolder> in(RunFolder run) {
        AutoencoderFolder found = of(run.path());
        return found.isComplete() ? Optional.of(found) : Optional.empty();
    }

    /** {@code vae/} in a folder, whether it exists or not. */
    private static AutoencoderFolder of(Path folder) {
        return new AutoencoderFolder(folder.resolve(FOLDER));
    }

    private boolean isComplete() {
        return Files.isRegularFile(path.resolve(CONFIG)) && Files.isRegularFile(path.resolve(WEIGHTS));
    }

    /** Reads configuration and weights. */
    public Autoencoder load() {
        Autoencoder model = new Autoencoder(AutoencoderConfig.read(path.resolve(CONFIG)));
        Weights.load(model.parameters(), Safetensors.read(path.resolve(WEIGHTS)));
        return model;
    }

    /**
     * Writes an autoencoder to {@code vae/} in a folder. The configuration comes last: only with both files is there an
     * autoencoder.
     *
     * @param config may differ from the model's in the scaling factor
     */
    public static void save(Autoencoder model, AutoencoderConfig config, Path folder) {
        Path path = of(folder).path;
        try {
            Files.createDirectories(path);
            Weights.save(model.parameters(), Map.of(), path.resolve(WEIGHTS));
            AtomicFiles.write(path.resolve(CONFIG), Json.pretty(config.toJson()).getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UserException("cannot write the autoencoder to " + path + ": " + IoReasons.of(e), e);
        }
    }

    /** Copies this autoencoder to {@code vae/} in another folder. */
    public void copyTo(Path folder) {
        Autoencoder model = load();
        save(model, model.config(), folder);
    }
}
