package org.sapwood.privacy.random;

import java.util.Arrays;

/**
 * The ChaCha20 block function of RFC 8439: 256-bit key, 96-bit nonce, 32-bit block counter, 64 bytes a block. Many blocks
 * are made side by side, in loops that the compiler turns into vector instructions.
 *
 * <p>Immutable and thread-safe. {@link #toString()} shows the nonce and never the key.
 */
final class ChaCha20 {

    /** How many 64-bit words one block holds. */
    static final int LONGS_PER_BLOCK = 8;

    /** Blocks made together: enough for long vector loops, and few enough for the first cache. */
    static final int BLOCKS = 256;

    /** Length of what {@link #blocks} writes. */
    static final int WORDS = 16 * BLOCKS;

    private static final int ROUNDS = 20;
    private static final int[] CONSTANTS = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    private static final int COUNTER = 12;

    private final int[] key;
    private final int[] nonce;

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
        this.key = key.clone();
        nonce = new int[] {n0, n1, n2};
    }

    /**
     * Writes {@link #BLOCKS} consecutive blocks, the first of which is number {@code counter} (unsigned). Counters past the
     * last one begin anew at 0; whoever must not read a block twice does not read those.
     *
     * @param words receives word w of the i-th block at w · BLOCKS + i
     */
    void blocks(int counter, int[] words) {
        for (int w = 0; w < 16; w++) {
            Arrays.fill(words, w * BLOCKS, (w + 1) * BLOCKS, initial(w));
        }
        addCounters(counter, words);
        for (int round = 0; round < ROUNDS; round += 2) {
            doubleRound(words);
        }
        for (int w = 0; w < 16; w++) {
            add(initial(w), words, w * BLOCKS);
        }
        addCounters(counter, words);
    }

    /** Word w of the state before the rounds, without the counter. */
    private int initial(int w) {
        if (w < 4) {
            return CONSTANTS[w];
        }
        if (w < 12) {
            return key[w - 4];
        }
        return w == COUNTER ? 0 : nonce[w - 13];
    }

    private static void addCounters(int counter, int[] words) {
        for (int i = 0; i < BLOCKS; i++) {
            words[COUNTER * BLOCKS + i] += counter + i;
        }
    }

    private static void add(int word, int[] words, int at) {
        for (int i = 0; i < BLOCKS; i++) {
            words[at + i] += word;
        }
    }

    private static void doubleRound(int[] words) {
        for (int i = 0; i < BLOCKS; i++) {
            int x0 = words[i];
            int x1 = words[i + BLOCKS];
            int x2 = words[i + 2 * BLOCKS];
            int x3 = words[i + 3 * BLOCKS];
            int x4 = words[i + 4 * BLOCKS];
            int x5 = words[i + 5 * BLOCKS];
            int x6 = words[i + 6 * BLOCKS];
            int x7 = words[i + 7 * BLOCKS];
            int x8 = words[i + 8 * BLOCKS];
            int x9 = words[i + 9 * BLOCKS];
            int x10 = words[i + 10 * BLOCKS];
            int x11 = words[i + 11 * BLOCKS];
            int x12 = words[i + 12 * BLOCKS];
            int x13 = words[i + 13 * BLOCKS];
            int x14 = words[i + 14 * BLOCKS];
            int x15 = words[i + 15 * BLOCKS];
            // Four quarter rounds on the columns.
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
            words[i] = x0;
            words[i + BLOCKS] = x1;
            words[i + 2 * BLOCKS] = x2;
            words[i + 3 * BLOCKS] = x3;
            words[i + 4 * BLOCKS] = x4;
            words[i + 5 * BLOCKS] = x5;
            words[i + 6 * BLOCKS] = x6;
            words[i + 7 * BLOCKS] = x7;
            words[i + 8 * BLOCKS] = x8;
            words[i + 9 * BLOCKS] = x9;
            words[i + 10 * BLOCKS] = x10;
            words[i + 11 * BLOCKS] = x11;
            words[i + 12 * BLOCKS] = x12;
            words[i + 13 * BLOCKS] = x13;
            words[i + 14 * BLOCKS] = x14;
            words[i + 15 * BLOCKS] = x15;
        }
    }

    /** 64-bit word {@code k}, little-endian, of the i-th of the blocks that {@link #blocks} has written. */
    static long word(int[] words, int i, int k) {
        int at = 2 * k * BLOCKS + i;
        return (words[at] & 0xFFFFFFFFL) | ((long) words[at + BLOCKS] << 32);
    }

    /** The eight words of the key, for {@link GaussianNoise#handOver} alone. */
    int[] key() {
        return key.clone();
    }

    /** The three words of the nonce. */
    int[] nonce() {
        return nonce.clone();
    }

    @Override
    public String toString() {
        return String.format("ChaCha20[nonce=%08x%08x%08x]", nonce[0], nonce[1], nonce[2]);
    }
}
