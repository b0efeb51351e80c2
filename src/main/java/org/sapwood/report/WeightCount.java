package org.sapwood.report;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.sapwood.io.Json;
import org.sapwood.io.RunFolder;
import org.sapwood.io.UserException;

/** How many weights a checkpoint holds, from the shapes in its header; the weights themselves are not read. */
final class WeightCount {
    private static final long LONGEST_HEADER = 100L << 20;

    private WeightCount() {}

    /** Of the newest checkpoint; empty if there is none that can be read. */
    static OptionalLong of(RunFolder folder) {
        Optional<RunFolder.Checkpoint> newest = folder.newestCheckpoint();
        if (newest.isEmpty()) {
            return OptionalLong.empty();
        }
        try {
            return OptionalLong.of(count(newest.get().path()));
        } catch (IOException | UserException e) {
            return OptionalLong.empty();
        }
    }

    private static long count(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file);
                DataInputStream data = new DataInputStream(in)) {
            long length = Long.reverseBytes(data.readLong());
            if (length < 0 || length > LONGEST_HEADER) {
                throw new IOException(file + " is not a safetensors file");
            }
            String header = new String(data.readNBytes((int) length), StandardCharsets.UTF_8);
            long total = 0;
            for (Map.Entry<String, Object> tensor :
                    Json.parseObject(header, file.toString()).entrySet()) {
                if (!tensor.getKey().equals("__metadata__")) {
                    total += RunFacts.list(RunFacts.map(tensor.getValue()).get("shape")).stream()
                            .mapToLong(edge -> (long) Figures.number(edge))
                            .reduce(1, (a, b) -> a * b);
                }
            }
            return total;
        }
    }
}
