package org.sapwood.io;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads the safetensors format: eight bytes with the header's length (little-endian), the header as a JSON object of
 * {@code name → {dtype, shape, data_offsets}}, then the data. As in the reference implementation, offsets have to cover
 * the data exactly, without holes and without overlap, and the header stays below 100 MB; so a damaged or hostile file
 * is refused instead of being read as something else.
 *
 * @see <a href="https://github.com/huggingface/safetensors#format">the format</a>
 * @see SafetensorsWriter
 */
public final class Safetensors {
    /** Key of the free text pairs in the header. */
    static final String METADATA = "__metadata__";

    private static final int LENGTH_BYTES = Long.BYTES;
    private static final long MAX_HEADER_BYTES = 100_000_000;

    private Safetensors() {}

    /** One entry of the header before its data is read. */
    private record Entry(String name, DType dtype, int[] shape, long begin, long end) {}

    /**
     * Reads a whole file.
     *
     * @param path the file
     * @return its tensors and metadata, in the order of the header
     * @throws UserException when the file cannot be read or is not a valid safetensors file; the message names the file
     *     and, where one is to blame, the tensor
     */
    public static SafetensorsFile read(Path path) {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            long fileBytes = channel.size();
            if (fileBytes < LENGTH_BYTES) {
                throw damaged(path, "truncated: " + fileBytes + " bytes, expected at least " + LENGTH_BYTES);
            }
            long headerBytes = read(path, channel, 0, LENGTH_BYTES).getLong();
            if (headerBytes < 0 || headerBytes > MAX_HEADER_BYTES) {
                throw damaged(
                        path,
                        "the header claims " + Long.toUnsignedString(headerBytes) + " bytes, expected at most "
                                + MAX_HEADER_BYTES + "; is this a safetensors file?");
            }
            long dataBegin = LENGTH_BYTES + headerBytes;
            if (dataBegin > fileBytes) {
                throw damaged(path, "truncated: " + fileBytes + " bytes, but the header ends at byte " + dataBegin);
            }
            Map<String, Object> header = header(path, read(path, channel, LENGTH_BYTES, (int) headerBytes));
            Map<String, String> metadata = metadata(path, header.remove(METADATA));
            List<Entry> entries = new ArrayList<>();
            header.forEach((name, value) -> entries.add(entry(path, name, value)));
            requireExactCover(path, entries, fileBytes - dataBegin);

            Map<String, StoredTensor> tensors = new LinkedHashMap<>();
            for (Entry entry : entries) {
                int bytes = (int) (entry.end() - entry.begin());
                byte[] data =
                        read(path, channel, dataBegin + entry.begin(), bytes).array();
                tensors.put(entry.name(), new StoredTensor(path, entry.name(), entry.dtype(), entry.shape(), data));
            }
            return new SafetensorsFile(path, tensors, metadata);
        } catch (IOException e) {
            throw new UserException("cannot read " + path + ": " + IoReasons.of(e), e);
        }
    }

    private static ByteBuffer read(Path path, FileChannel channel, long position, int bytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        while (buffer.hasRemaining()) {
            int count = channel.read(buffer, position + buffer.position());
            if (count < 0) {
                throw damaged(path, "truncated while being read");
            }
        }
        return buffer.flip();
    }

    private static Map<String, Object> header(Path path, ByteBuffer bytes) {
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
            if (!text.startsWith("{")) {
                throw damaged(path, "the header must begin with '{'; is this a safetensors file?");
            }
            return JSON.std.mapFrom(text);
        } catch (CharacterCodingException e) {
            throw new UserException(path + " is not a valid safetensors file: the header is not UTF-8", e);
        } catch (IOException e) {
            throw new UserException(path + " is not a valid safetensors file: the header is not valid JSON", e);
        }
    }

    private static Map<String, String> metadata(Path path, @Nullable Object value) {
        Map<String, String> metadata = new LinkedHashMap<>();
        if (value == null) {
            return metadata;
        }
        if (!(value instanceof Map<?, ?> pairs)) {
            throw damaged(path, METADATA + " must be an object of strings");
        }
        for (Map.Entry<?, ?> pair : pairs.entrySet()) {
            if (!(pair.getKey() instanceof String key) || !(pair.getValue() instanceof String text)) {
                throw damaged(path, METADATA + "." + pair.getKey() + " must be a string");
            }
            metadata.put(key, text);
        }
        return metadata;
    }

    private static Entry entry(Path path, String name, @Nullable Object value) {
        if (!(value instanceof Map<?, ?> fields)
                || !(fields.get("dtype") instanceof String dtypeName)
                || !(fields.get("shape") instanceof List<?> extents)
                || !(fields.get("data_offsets") instanceof List<?> offsets)
                || offsets.size() != 2) {
            throw damaged(path, name, "needs dtype, shape and two data_offsets");
        }
        DType dtype = dtype(path, name, dtypeName);
        int[] shape = new int[extents.size()];
        long bytes = dtype.bytes();
        for (int i = 0; i < shape.length; i++) {
            long extent = size(path, name, extents.get(i), "shape");
            if (extent > Integer.MAX_VALUE || Math.multiplyHigh(bytes, extent) != 0 || bytes * extent < 0) {
                throw damaged(path, name, "its shape " + extents + " is too large");
            }
            shape[i] = (int) extent;
            bytes *= extent;
        }
        long begin = size(path, name, offsets.get(0), "data_offsets");
        long end = size(path, name, offsets.get(1), "data_offsets");
        if (end < begin || end - begin != bytes) {
            throw damaged(
                    path,
                    name,
                    dtype + " " + extents + " takes " + bytes + " bytes, but its data_offsets are " + offsets);
        }
        if (bytes > Integer.MAX_VALUE - Long.BYTES) {
            throw damaged(path, name, "takes " + bytes + " bytes; a single tensor must stay below 2 GiB");
        }
        return new Entry(name, dtype, shape, begin, end);
    }

    private static DType dtype(Path path, String tensor, String name) {
        for (DType dtype : DType.values()) {
            if (dtype.name().equals(name)) {
                return dtype;
            }
        }
        throw damaged(path, tensor, "has dtype '" + name + "', expected one of " + List.of(DType.values()));
    }

    private static long size(Path path, String tensor, @Nullable Object value, String field) {
        if (!(value instanceof Integer || value instanceof Long) || ((Number) value).longValue() < 0) {
            throw damaged(path, tensor, "its " + field + " must hold integers >= 0, got " + value);
        }
        return ((Number) value).longValue();
    }

    private static void requireExactCover(Path path, List<Entry> entries, long dataBytes) {
        List<Entry> byOffset = new ArrayList<>(entries);
        byOffset.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
        long covered = 0;
        for (Entry entry : byOffset) {
            if (entry.begin() != covered) {
                throw damaged(
                        path,
                        entry.name(),
                        "its data begins at " + entry.begin() + ", expected " + covered
                                + " (offsets must neither overlap nor leave holes)");
            }
            if (entry.end() > dataBytes) {
                throw damaged(
                        path,
                        entry.name(),
                        "truncated: its data ends at " + entry.end() + " of " + dataBytes + " bytes");
            }
            covered = entry.end();
        }
        if (covered != dataBytes) {
            throw damaged(path, (dataBytes - covered) + " bytes after the last tensor belong to none");
        }
    }

    private static UserException damaged(Path path, String reason) {
        return new UserException(path + " is not a valid safetensors file: " + reason);
    }

    private static UserException damaged(Path path, String tensor, String reason) {
        return new UserException(path + " is not a valid safetensors file: tensor '" + tensor + "': " + reason);
    }
}
