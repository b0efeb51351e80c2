package org.sapwood.privacy.random;

/**
 * The ChaCha20 block function of RFC 8439: 256-bit key, 96-bit nonce, 32-bit block counter, 64 bytes a block.
 *
 * <p>Immutable and thread-safe. {@link #toString()} shows the nonce and never the key.
 */
final class ChaCha20 {

    /** How many 64-bit words one block holds. */
    static final int LONGS_PER_BLOCK = 8;

    private final int k0;
    private final int k1;
    private final int k2;
    private final int k3;
    private final int k4;
    private final int k5;
    private final int k6;
    private final int k7;
    private final int n0;
    private final int n1;
    private final int n2;

    /**
     * A key stream.
     *
     * @param key eight little-endian words
     * @param n0 first word of the nonce
     * @param n1 second word of the nonce
     * @param n2 third word of the nonce
     */
    ChaCha20(int[] key, int n0, int n1, int n2) {
        if (key.length != 8) {
            throw new IllegalArgumentException("a ChaCha20 key has 8 words, got " + key.length);
        }
        k0 = key[0];
        k1 = key[1];
        k2 = key[2];
        k3 = key[3];
        k4 = key[4];
        k5 = key[5];
        k6 = key[6];
        k7 = key[7];
        this.n0 = n0;
        this.n1 = n1;
        this.n2 = n2;
    }

    /** Writes block {@code counter} (unsigned) as eight little-endian 64-bit words. */
    void block(int counter, long[] out, int offset) {
        int x0 = 0x61707865;
        int x1 = 0x3320646e;
        int x2 = 0x79622d32;
        int x3 = 0x6b206574;
        int x4 = k0;
        int x5 = k1;
        int x6 = k2;
        int x7 = k3;
        int x8 = k4;
        int x9 = k5;
        int x10 = k6;
        int x11 = k7;
        int x12 = counter;
        int x13 = n0;
        int x14 = n1;
        int x15 = n2;
        for (int round = 0; round < 10; round++) {
            // Four quarter rounds on the columns, interleaved so that the processor can overlap them.
            x0 += x4;
            x1 += x5;
            x2 += x6;
            x3 += x7;
            x12 = Integer.rotateLeft(x12 ^ x0, 16);
            x13 = Integer.rotateLeft(x13 ^ x1, 16);
            x14 = Integer.rotateLeft(x14 ^ x2, 16);
            x15 = Integer.rotateLeft(x15 ^ x3, 16);
            x8 += x12;
            x9 += x13;
            x10 += x14;
            x11 += x15;
            x4 = Integer.rotateLeft(x4 ^ x8, 12);
            x5 = Integer.rotateLeft(x5 ^ x9, 12);
            x6 = Integer.rotateLeft(x6 ^ x10, 12);
            x7 = Integer.rotateLeft(x7 ^ x11, 12);
            x0 += x4;
            x1 += x5;
            x2 += x6;
            x3 += x7;
            x12 = Integer.rotateLeft(x12 ^ x0, 8);
            x13 = Integer.rotateLeft(x13 ^ x1, 8);
            x14 = Integer.rotateLeft(x14 ^ x2, 8);
            x15 = Integer.rotateLeft(x15 ^ x3, 8);
            x8 += x12;
            x9 += x13;
            x10 += x14;
            x11 += x15;
            x4 = Integer.rotateLeft(x4 ^ x8, 7);
            x5 = Integer.rotateLeft(x5 ^ x9, 7);
            x6 = Integer.rotateLeft(x6 ^ x10, 7);
            x7 = Integer.rotateLeft(x7 ^ x11, 7);
            // Four quarter rounds on the diagonals.
            x0 += x5;
            x1 += x6;
            x2 += x7;
            x3 += x4;
            x15 = Integer.rotateLeft(x15 ^ x0, 16);
            x12 = Integer.rotateLeft(x12 ^ x1, 16);
            x13 = Integer.rotateLeft(x13 ^ x2, 16);
            x14 = Integer.rotateLeft(x14 ^ x3, 16);
            x10 += x15;
            x11 += x12;
            x8 += x13;
            x9 += x14;
            x5 = Integer.rotateLeft(x5 ^ x10, 12);
            x6 = Integer.rotateLeft(x6 ^ x11, 12);
            x7 = Integer.rotateLeft(x7 ^ x8, 12);
            x4 = Integer.rotateLeft(x4 ^ x9, 12);
            x0 += x5;
            x1 += x6;
            x2 += x7;
            x3 += x4;
            x15 = Integer.rotateLeft(x15 ^ x0, 8);
            x12 = Integer.rotateLeft(x12 ^ x1, 8);
            x13 = Integer.rotateLeft(x13 ^ x2, 8);
            x14 = Integer.rotateLeft(x14 ^ x3, 8);
            x10 += x15;
            x11 += x12;
            x8 += x13;
            x9 += x14;
            x5 = Integer.rotateLeft(x5 ^ x10, 7);
            x6 = Integer.rotateLeft(x6 ^ x11, 7);
            x7 = Integer.rotateLeft(x7 ^ x8, 7);
            x4 = Integer.rotateLeft(x4 ^ x9, 7);
        }
        out[offset] = join(x0 + 0x61707865, x1 + 0x3320646e);
        out[offset + 1] = join(x2 + 0x79622d32, x3 + 0x6b206574);
        out[offset + 2] = join(x4 + k0, x5 + k1);
        out[offset + 3] = join(x6 + k2, x7 + k3);
        out[offset + 4] = join(x8 + k4, x9 + k5);
        out[offset + 5] = join(x10 + k6, x11 + k7);
        out[offset + 6] = join(x12 + counter, x13 + n0);
        out[offset + 7] = join(x14 + n1, x15 + n2);
    }

    /** The eight words of the key, for {@link GaussianNoise#handOver} alone. */
    int[] key() {
        return new int[] {k0, k1, k2, k3, k4, k5, k6, k7};
    }

    /** The three words of the nonce. */
    int[] nonce() {
        return new int[] {n0, n1, n2};
    }

    private static long join(int low, int high) {
        return (low & 0xFFFFFFFFL) | ((long) high << 32);
    }

    @Override
    public String toString() {
        return String.format("ChaCha20[nonce=%08x%08x%08x]", n0, n1, n2);
    }
}
