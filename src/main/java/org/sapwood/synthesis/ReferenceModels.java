package org.sapwood.synthesis;

import java.nio.file.Path;
import org.sapwood.nn.UNetConfig;

/** The model configurations that {@code --config} knows by name. */
final class ReferenceModels {
    /** The model of the latents of an autoencoder, whose size and channels follow from it. */
    static final String LATENT = "latent";

    private ReferenceModels() {}

    /**
     * A configuration by its name, or of a diffusers {@code config.json}.
     *
     * @param classes rows of the label embedder, the one for no class included
     * @throws org.sapwood.io.UserException if the file is missing or has an option that is not supported
     */
    static UNetConfig named(String nameOrFile, int classes) {
        return switch (nameOrFile) {
            case "unet28" -> UNetConfig.unet28(classes);
            case "unet28x" -> UNetConfig.unet28x(classes);
            case "unet32" -> UNetConfig.unet32(classes);
            default -> UNetConfig.read(Path.of(nameOrFile)).withClasses(classes);
        };
    }
}
