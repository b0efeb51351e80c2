package org.sapwood.synthesis;

import java.util.Map;
import java.util.Optional;
import org.sapwood.diffusion.NoiseSchedule;
import org.sapwood.io.Json;
import org.sapwood.nn.AutoencoderFolder;
import org.sapwood.nn.GanConfig;
import org.sapwood.nn.ModelFolder;

/** Opens checkpoints of every kind of model that draws images. */
public final class ImageGenerators {
    private ImageGenerators() {}

    /**
     * The model of a checkpoint.
     *
     * @throws org.sapwood.io.UserException if its files are damaged or of no model that is known here
     */
    public static ImageGenerator load(ModelFolder folder) {
        if (GanConfig.describes(Json.readObject(folder.config()))) {
            return GanImageGenerator.read(folder.config(), folder.weights());
        }
        ModelFolder.Loaded loaded = folder.load();
        Optional<AutoencoderFolder> autoencoder = AutoencoderFolder.beside(folder);
        return autoencoder.isEmpty()
                ? PixelGenerator.of(loaded)
                : new LatentGenerator(
                        loaded.unet(),
                        schedule(loaded.metadata()),
                        autoencoder.get().load());
    }

    /** The noise schedule that a checkpoint's metadata names, or the default. */
    public static NoiseSchedule schedule(Map<String, String> metadata) {
        return NoiseSchedule.named(metadata.getOrDefault(ModelFolder.NOISE_SCHEDULE, NoiseSchedule.DEFAULT_NAME));
    }
}
