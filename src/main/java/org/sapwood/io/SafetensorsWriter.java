package org.sapwood.io;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Collects tensors and writes them as one safetensors file, atomically. Tensors are written in the order in which they
 * were added, wider element types first so that every tensor is aligned to its element size; the same calls give the
 * same bytes. Arrays are referenced, not copied, until {@link #write}.
 *
 * <pre>{@code
 * new SafetensorsWriter().metadata("step", "2000").f32("conv_in.weight", new int[] {32, 1, 3, 3}, weight).write(path);
 * }</pre>
 */
public final class SafetensorsWriter {
    private static final int ALIGNMENT = 8;
    private static final int CHUNK_BYTES = 1 << 16;
    private static final float MAX_HALF = 65504f;

    /** Puts one element of a tensor into the chunk. */
    @FunctionalInterface
    private interface ElementWriter {
        void put(ByteBuffer chunk, int index);
    }

    private record Pending(String name, DType dtype, int[] shape, int elementCount, ElementWriter elements) {
        long bytes() {
            return (long) elementCount * dtype.bytes();
        }
    }

    /** Sorted, so that equal contents make equal files. */
    private final Map<String, String> metadata = new TreeMap<>();

    private final List<Pending> tensors = new ArrayList<>();
    private final Set<String> names = new HashSet<>();

    /** Starts an empty file. */
    public SafetensorsWriter() {}

    /**
     * Adds a pair of free text to the header.
     *
     * @param key unique
     * @param value any text
     * @return this
     */
    public SafetensorsWriter metadata(String key, String value) {
        metadata.put(key, value);
        return this;
    }

    /**
     * Adds a float32 tensor.
     *
     * @param name unique key
     * @param shape extents, outermost first
     * @param values row-major; as many as the extents say
     * @return this
     */
    public SafetensorsWriter f32(String name, int[] shape, float[] values) {
        return add(name, DType.F32, shape, values.length, (chunk, i) -> chunk.putFloat(values[i]));
    }

    /**
     * Adds a tensor stored as float16, rounded to nearest even.
     *
     * @param name unique key
     * @param shape extents, outermost first
     * @param values row-major; as many as the extents say, magnitudes below 65504
     * @return this
     * @throws UserException when a finite value would become infinite; the fix is to store float32
     */
    public SafetensorsWriter f16(String name, int[] shape, float[] values) {
        for (float value : values) {
            if (Float.isFinite(value) && Math.abs(value) > MAX_HALF) {
                throw new UserException("tensor '" + name + "' holds " + value + ", which float16 cannot hold (at most "
                        + MAX_HALF + "); store it as float32");
            }
        }
        return add(
                name, DType.F16, shape, values.length, (chunk, i) -> chunk.putShort(Float.floatToFloat16(values[i])));
    }

    /**
     * Adds a float64 tensor.
     *
     * @param name unique key
     * @param shape extents, outermost first
     * @param values row-major; as many as the extents say
     * @return this
     */
    public SafetensorsWriter f64(String name, int[] shape, double[] values) {
        return add(name, DType.F64, shape, values.length, (chunk, i) -> chunk.putDouble(values[i]));
    }

    /**
     * Adds a tensor of signed 64-bit integers.
     *
     * @param name unique key
     * @param shape extents, outermost first
     * @param values row-major; as many as the extents say
     * @return this
     */
    public SafetensorsWriter i64(String name, int[] shape, long[] values) {
        return add(name, DType.I64, shape, values.length, (chunk, i) -> chunk.putLong(values[i]));
    }

    /**
     * Adds a tensor of unsigned bytes.
     *
     * @param name unique key
     * @param shape extents, outermost first
     * @param values row-major; as many as the extents say
     * @return this
     */
    public SafetensorsWriter u8(String name, int[] shape, byte[] values) {
        return add(name, DType.U8, shape, values.length, (chunk, i) -> chunk.put(values[i]));
    }

    /**
     * Writes the file atomically: it is complete or the old one is untouched.
     *
     * @param path the target; its folder must exist
     * @throws UserException when it cannot be written, naming the path and the reason
     */
    public void write(Path path) {
        List<Pending> ordered = new ArrayList<>(tensors);
        ordered.sort(Comparator.comparingInt((Pending tensor) -> tensor.dtype().bytes())
                .reversed());
        try {
            byte[] header = header(ordered);
            AtomicFiles.write(path, out -> {
                out.write(ByteBuffer.allocate(Long.BYTES)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(header.length)
                        .array());
                out.write(header);
                for (Pending tensor : ordered) {
                    writeData(out, tensor);
                }
            });
        } catch (IOException e) {
            throw new UserException(IoReasons.of(e), e);
        }
    }

    private SafetensorsWriter add(String name, DType dtype, int[] shape, int elementCount, ElementWriter elements) {
        long product = 1;
        for (int extent : shape) {
            product = Math.multiplyExact(product, extent);
        }
        if (product != elementCount) {
            throw new IllegalArgumentException("tensor '" + name + "' of shape " + Arrays.toString(shape) + " needs "
                    + product + " values, got " + elementCount);
        }
        if (name.equals(Safetensors.METADATA) || !names.add(name)) {
            throw new IllegalArgumentException("tensor name '" + name + "' is reserved or already used");
        }
        tensors.add(new Pending(name, dtype, shape.clone(), elementCount, elements));
        return this;
    }

    private byte[] header(List<Pending> ordered) throws IOException {
        Map<String, Object> header = new LinkedHashMap<>();
        if (!metadata.isEmpty()) {
            header.put(Safetensors.METADATA, metadata);
        }
        long offset = 0;
        for (Pending tensor : ordered) {
            Map<String, Object> fields = new LinkedHashMap<>();
            fields.put("dtype", tensor.dtype().name());
            fields.put("shape", tensor.shape());
            fields.put("data_offsets", new long[] {offset, offset + tensor.bytes()});
            header.put(tensor.name(), fields);
            offset += tensor.bytes();
        }
        byte[] json = JSON.std.asString(header).getBytes(StandardCharsets.UTF_8);
        byte[] padded = Arrays.copyOf(json, Math.ceilDiv(json.length, ALIGNMENT) * ALIGNMENT);
        Arrays.fill(padded, json.length, padded.length, (byte) ' ');
        return padded;
    }

    private static void writeData(OutputStream out, Pending tensor) throws IOException {
        ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < tensor.elementCount(); i++) {
            tensor.elements().put(chunk, i);
            if (!chunk.hasRemaining()) {
                out.write(chunk.array(), 0, chunk.position());
                chunk.clear();
            }
        }
        out.write(chunk.array(), 0, chunk.position());
    }
}
