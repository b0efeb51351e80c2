package org.sapwood.privacy.random;

import org.apache.commons.rng.UniformRandomProvider;

/**
 * A ChaCha20 key stream read front to back as uniform 64-bit words. Not thread-safe; its state cannot be saved or
 * restored, so that no stretch of it is ever read twice.
 */
final class ChaCha20Random implements UniformRandomProvider {

    private static final int LONGS = ChaCha20.BLOCKS * ChaCha20.LONGS_PER_BLOCK;

    private final ChaCha20 cipher;
    private final int[] words = new int[ChaCha20.WORDS];
    private long nextBlock;
    private int position = LONGS;

    ChaCha20Random(ChaCha20 cipher) {
        this.cipher = cipher;
    }

    /**
     * The next word.
     *
     * @throws IllegalStateException when all 2³² blocks (256 GiB) are used up
     */
    @Override
    public long nextLong() {
        if (position == LONGS) {
            if (nextBlock >>> 32 != 0) {
                throw new IllegalStateException("the ChaCha20 stream is used up; ask RandomSource for another");
            }
            cipher.blocks((int) nextBlock, words);
            nextBlock += ChaCha20.BLOCKS;
            position = 0;
        }
        long word = ChaCha20.word(words, position / ChaCha20.LONGS_PER_BLOCK, position % ChaCha20.LONGS_PER_BLOCK);
        position++;
        return word;
    }

    @Override
    public String toString() {
        return cipher.toString();
    }
}
