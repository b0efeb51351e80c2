package org.sapwood.io;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A NumPy array of integers as it stands in a {@code .npy} stream: magic, version, a header that is a Python dictionary,
 * the data in C order.
 *
 * @param type kind and bytes per element, as NumPy writes them: {@code u1}, {@code i8}, …; {@code b1} for booleans
 * @param shape extents, outermost first
 * @param data the elements in the byte order {@code order}
 * @param order their byte order
 * @see <a href="https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html">the format</a>
 */
public record Npy(String type, int[] shape, byte[] data, ByteOrder order) {
    private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
    private static final int MAX_HEADER_BYTES = 1 << 16;
    private static final Pattern DESCRIPTION = Pattern.compile("'descr'\\s*:\\s*'([<>|=])([uib][1248])'");
    private static final Pattern C_ORDER = Pattern.compile("'fortran_order'\\s*:\\s*False");
    private static final Pattern SHAPE = Pattern.compile("'shape'\\s*:\\s*\\(([0-9, ]*)\\)");

    /**
     * Reads one array.
     *
     * @param in the stream, read to the array's end
     * @param name names it in messages
     * @return the array
     * @throws IOException when the stream cannot be read
     * @throws UserException when it is no such array, is not of integers in C order, is truncated, or takes 2 GiB
     */
    public static Npy read(InputStream in, String name) throws IOException {
        byte[] begin = in.readNBytes(MAGIC.length + 2);
        if (begin.length < MAGIC.length + 2 || !Arrays.equals(MAGIC, 0, MAGIC.length, begin, 0, MAGIC.length)) {
            throw new UserException(name + " is not a NumPy array: it does not begin with \\x93NUMPY");
        }
        // The length of the header takes two bytes in version 1 and four from version 2 on, little-endian.
        int lengthBytes = begin[MAGIC.length] == 1 ? Short.BYTES : Integer.BYTES;
        byte[] length = Arrays.copyOf(in.readNBytes(lengthBytes), Integer.BYTES);
        int headerBytes = ByteBuffer.wrap(length).order(ByteOrder.LITTLE_ENDIAN).getInt();
        if (headerBytes < 0 || headerBytes > MAX_HEADER_BYTES) {
            throw new UserException(name + " claims a header of " + Integer.toUnsignedString(headerBytes)
                    + " bytes, expected at most " + MAX_HEADER_BYTES);
        }
        String header = new String(in.readNBytes(headerBytes), StandardCharsets.US_ASCII);
        Matcher description = DESCRIPTION.matcher(header);
        Matcher extents = SHAPE.matcher(header);
        if (!description.find() || !extents.find() || !C_ORDER.matcher(header).find()) {
            throw new UserException(name + " must be an array of integers in C order, its header is " + header.strip());
        }
        int[] shape = Arrays.stream(extents.group(1).split(","))
                .map(String::strip)
                .filter(extent -> !extent.isEmpty())
                .mapToInt(extent -> extent(extent, name))
                .toArray();
        String type = description.group(2);
        long bytes = elementBytes(type);
        for (int extent : shape) {
            bytes *= extent;
            if (bytes > Integer.MAX_VALUE - Long.BYTES) {
                throw new UserException(name + " of shape " + Arrays.toString(shape) + " takes more than 2 GiB");
            }
        }
        byte[] data = in.readNBytes((int) bytes);
        if (data.length != bytes) {
            throw new UserException(name + " is truncated: " + data.length + " bytes of data, expected " + bytes);
        }
        ByteOrder order = description.group(1).equals(">") ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
        return new Npy(type, shape, data, order);
    }

    /**
     * The number of elements.
     *
     * @return the product of the extents
     */
    public int elementCount() {
        return data.length / elementBytes(type);
    }

    /**
     * One element.
     *
     * @param index flat index in C order
     * @return its value; unsigned 64-bit values above 2⁶³ come out negative
     */
    public long integer(int index) {
        ByteBuffer in = ByteBuffer.wrap(data).order(order);
        boolean unsigned = type.charAt(0) != 'i';
        return switch (type.charAt(1)) {
            case '1' -> unsigned ? Byte.toUnsignedLong(in.get(index)) : in.get(index);
            case '2' -> {
                short value = in.getShort(index * Short.BYTES);
                yield unsigned ? Short.toUnsignedLong(value) : value;
            }
            case '4' -> {
                int value = in.getInt(index * Integer.BYTES);
                yield unsigned ? Integer.toUnsignedLong(value) : value;
            }
            default -> in.getLong(index * Long.BYTES);
        };
    }

    private static int elementBytes(String type) {
        return Character.digit(type.charAt(1), 10);
    }

    private static int extent(String text, String name) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw new UserException(name + " has an extent of " + text + ", expected less than 2^31", e);
        }
    }
}
