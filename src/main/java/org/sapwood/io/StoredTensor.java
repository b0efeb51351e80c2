package org.sapwood.io;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * One tensor as it stands in a safetensors file: row-major values of one {@link DType}, converted on demand. Immutable.
 */
public final class StoredTensor {
    private final Path file;
    private final String name;
    private final DType dtype;
    private final int[] shape;
    private final byte[] data;

    StoredTensor(Path file, String name, DType dtype, int[] shape, byte[] data) {
        this.file = file;
        this.name = name;
        this.dtype = dtype;
        this.shape = shape;
        this.data = data;
    }

    /**
     * The key of the tensor in its file.
     *
     * @return for example {@code mid_block.resnets.0.conv1.weight}
     */
    public String name() {
        return name;
    }

    /**
     * The element type on disk.
     *
     * @return the type
     */
    public DType dtype() {
        return dtype;
    }

    /**
     * The extents, outermost first; empty for a scalar.
     *
     * @return a fresh array
     */
    public int[] shape() {
        return shape.clone();
    }

    /**
     * The number of elements, the product of the extents.
     *
     * @return at least 0; 1 for a scalar
     */
    public int elementCount() {
        return data.length / dtype.bytes();
    }

    /**
     * Refuses the tensor unless it has the given extents.
     *
     * @param expected the extents that the reader of the file needs
     * @return this tensor
     * @throws UserException naming the file, the tensor, its shape and the expected one
     */
    public StoredTensor requireShape(int... expected) {
        if (!Arrays.equals(shape, expected)) {
            throw new UserException(file + ": tensor '" + name + "' has shape " + Arrays.toString(shape) + ", expected "
                    + Arrays.toString(expected));
        }
        return this;
    }

    /**
     * The values as float32: exact for F32, F16, BF16 and the small integers, rounded to nearest otherwise.
     *
     * @return a fresh array of {@link #elementCount()} values, row-major
     */
    public float[] toFloats() {
        ByteBuffer in = littleEndian();
        float[] out = new float[elementCount()];
        if (dtype == DType.F32) {
            in.asFloatBuffer().get(out);
        } else {
            for (int i = 0; i < out.length; i++) {
                out[i] = dtype.isFloat() ? (float) real(in, i) : (float) integer(in, i);
            }
        }
        return out;
    }

    /**
     * The values as integers.
     *
     * @return a fresh array of {@link #elementCount()} values, row-major; BOOL gives 0 and 1
     * @throws UserException when the tensor holds floating-point values
     */
    public long[] toLongs() {
        if (dtype.isFloat()) {
            throw new UserException(file + ": tensor '" + name + "' holds " + dtype + ", expected integers");
        }
        ByteBuffer in = littleEndian();
        long[] out = new long[elementCount()];
        Arrays.setAll(out, i -> integer(in, i));
        return out;
    }

    /**
     * Refuses NaN and infinite values: weights that hold one would poison every output silently.
     *
     * @return this tensor
     * @throws UserException naming the file, the tensor, the value and its flat index
     */
    public StoredTensor requireFinite() {
        if (dtype.isFloat()) {
            ByteBuffer in = littleEndian();
            int count = elementCount();
            for (int i = 0; i < count; i++) {
                double value = real(in, i);
                if (!Double.isFinite(value)) {
                    throw new UserException(file + ": tensor '" + name + "' holds " + value + " at flat index " + i
                            + "; every value must be finite, so take a file from a run that did not diverge");
                }
            }
        }
        return this;
    }

    @Override
    public String toString() {
        return name + ": " + dtype + Arrays.toString(shape);
    }

    private ByteBuffer littleEndian() {
        return ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
    }

    private double real(ByteBuffer in, int index) {
        return switch (dtype) {
            case F64 -> in.getDouble(index * Double.BYTES);
            case F32 -> in.getFloat(index * Float.BYTES);
            case F16 -> Float.float16ToFloat(in.getShort(index * Short.BYTES));
            case BF16 -> Float.intBitsToFloat(in.getShort(index * Short.BYTES) << Short.SIZE);
            case I64, I32, I16, I8, U8, BOOL -> throw new IllegalStateException(dtype + " is not a real type");
        };
    }

    private long integer(ByteBuffer in, int index) {
        return switch (dtype) {
            case I64 -> in.getLong(index * Long.BYTES);
            case I32 -> in.getInt(index * Integer.BYTES);
            case I16 -> in.getShort(index * Short.BYTES);
            case I8 -> in.get(index);
            case U8, BOOL -> Byte.toUnsignedLong(in.get(index));
            case F64, F32, F16, BF16 -> throw new IllegalStateException(dtype + " is not an integer type");
        };
    }
}
