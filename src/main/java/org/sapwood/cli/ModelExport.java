package org.sapwood.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.sapwood.io.AtomicFiles;
import org.sapwood.io.IoReasons;
import org.sapwood.io.Safetensors;
import org.sapwood.io.SafetensorsFile;
import org.sapwood.io.SafetensorsWriter;
import org.sapwood.io.UserException;
import org.sapwood.nn.AutoencoderFolder;
import org.sapwood.nn.ModelFolder;

/** Writes a model at half its size, to be shipped. */
final class ModelExport {
    /** The name that diffusers and {@link ModelFolder} look for. */
    static final String WEIGHTS = "model.safetensors";

    static final String CONFIG = "config.json";

    private ModelExport() {}

    /**
     * Writes {@code model.safetensors} in float16 and {@code config.json}, and the autoencoder of a latent model as it is.
     *
     * @param folder is made where missing
     */
    static void write(ModelFolder model, Path folder) {
        SafetensorsFile file = Safetensors.read(model.weights());
        SafetensorsWriter writer = new SafetensorsWriter();
        file.metadata().forEach(writer::metadata);
        file.tensors().forEach((name, tensor) -> writer.f16(name, tensor.shape(), tensor.toFloats()));
        try {
            Files.createDirectories(folder);
            AtomicFiles.write(folder.resolve(CONFIG), Files.readAllBytes(model.config()));
            writer.write(folder.resolve(WEIGHTS));
            AutoencoderFolder.beside(model).ifPresent(autoencoder -> autoencoder.copyTo(folder));
        } catch (IOException e) {
            throw new UserException("cannot export to " + folder + ": " + IoReasons.of(e), e);
        }
    }
}
