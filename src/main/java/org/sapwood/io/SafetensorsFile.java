package org.sapwood.io;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The content of a safetensors file.
 *
 * @param path where it was read from, for messages
 * @param tensors by name, in the order of the file's header; unmodifiable
 * @param metadata the free text pairs under {@code __metadata__}; unmodifiable, empty when there are none
 */
public record SafetensorsFile(Path path, Map<String, StoredTensor> tensors, Map<String, String> metadata) {
    /** Takes copies that keep their order. */
    public SafetensorsFile {
        tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
        metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
    }

    /**
     * The tensor of that name.
     *
     * @param name its key
     * @return the tensor
     * @throws UserException naming the file and the missing tensor
     */
    public StoredTensor require(String name) {
        StoredTensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new UserException(
                    path + ": tensor '" + name + "' is missing; the file holds " + tensors.size() + " tensors");
        }
        return tensor;
    }

    /**
     * Refuses the file when any tensor holds NaN or an infinity.
     *
     * @return this file
     * @throws UserException naming the file and the first such tensor
     */
    public SafetensorsFile requireFinite() {
        tensors.values().forEach(StoredTensor::requireFinite);
        return this;
    }
}
