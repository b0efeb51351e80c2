package org.sapwood.io;

/** The element types of the safetensors format that this project reads, with their size on disk (little-endian). */
public enum DType {
    /** IEEE 754 double. */
    F64(8),
    /** IEEE 754 float. */
    F32(4),
    /** IEEE 754 half. */
    F16(2),
    /** The upper 16 bits of an IEEE 754 float. */
    BF16(2),
    /** Signed 64-bit integer. */
    I64(8),
    /** Signed 32-bit integer. */
    I32(4),
    /** Signed 16-bit integer. */
    I16(2),
    /** Signed 8-bit integer. */
    I8(1),
    /** Unsigned 8-bit integer. */
    U8(1),
    /** One byte, 0 or 1. */
    BOOL(1);

    private final int bytes;

    DType(int bytes) {
        this.bytes = bytes;
    }

    /**
     * The size of one element.
     *
     * @return bytes per element on disk
     */
    public int bytes() {
        return bytes;
    }

    /**
     * Whether values are floating-point.
     *
     * @return true for F64, F32, F16 and BF16
     */
    public boolean isFloat() {
        return switch (this) {
            case F64, F32, F16, BF16 -> true;
            case I64, I32, I16, I8, U8, BOOL -> false;
        };
    }
}
