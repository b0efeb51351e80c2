package org.sapwood.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.commons.rng.simple.RandomSource;
import org.sapwood.io.Json;
import org.sapwood.nn.UNet;
import org.sapwood.nn.UNetConfig;
import org.sapwood.nn.Weights;

/**
 * A UNet small enough for tests, on disk.
 *
 * @param config its config.json
 * @param weights its parameters
 */
record TinyModel(Path config, Path weights) {
    /** 8×8 grey images, two levels of 4 and 8 channels, attention at the inner one and in the middle, 11 classes. */
    static final UNetConfig CONFIG = new UNetConfig(
            8, 1, 1, List.of(4, 8), 1, List.of(false, true), List.of(true, false), true, 4, 2, 1e-5f, 11, true, 0, 1);

    /** Writes a model with random weights and LoRA factors of {@code loraRank} on one matrix (0 for none). */
    static TinyModel write(Path folder, int loraRank) throws IOException {
        UNet model = new UNet(CONFIG);
        model.initialize(RandomSource.PHILOX_4X32.create(7L));
        if (loraRank > 0) {
            Objects.requireNonNull(model.matrices().get("mid_block.attentions.0.to_q.weight"))
                    .adapt(model.parameters(), loraRank, 1, RandomSource.PHILOX_4X32.create(8L));
        }
        TinyModel files = new TinyModel(folder.resolve("config.json"), folder.resolve("weights.safetensors"));
        Files.writeString(files.config, Json.pretty(CONFIG.toJson()));
        Weights.save(model, Map.of(), files.weights);
        return files;
    }
}
