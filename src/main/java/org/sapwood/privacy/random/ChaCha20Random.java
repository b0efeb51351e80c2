package org.sapwood.privacy.random;

import org.apache.commons.rng.UniformRandomProvider;

/**
 * A ChaCha20 key stream read front to back as uniform 64-bit words. Not thread-safe; its state cannot be saved or
 * restored, so that no stretch of it is ever read twice.
 */
final class ChaCha20Random implements UniformRandomProvider {

    private final ChaCha20 cipher;
    private final long[] block = new long[ChaCha20.LONGS_PER_BLOCK];
    private long nextBlock;
    private int position = ChaCha20.LONGS_PER_BLOCK;

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
        if (position == ChaCha20.LONGS_PER_BLOCK) {
            if (nextBlock >>> 32 != 0) {
                throw new IllegalStateException("the ChaCha20 stream is used up; ask RandomSource for another");
            }
            cipher.block((int) nextBlock++, block, 0);
            position = 0;
        }
        return block[position++];
    }

    @Override
    public String toString() {
        return cipher.toString();
    }
}
