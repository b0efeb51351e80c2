package org.sapwood.privacy.random;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.SplittableRandom;
import javax.crypto.Cipher;
import javax.crypto.spec.ChaCha20ParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.simple.RandomSource;
import org.junit.jupiter.api.Test;

/** The block function against RFC 8439 and the JDK's cipher, and the separation of streams. */
class ChaCha20Test {

    private static byte[] bytes(ChaCha20 cipher, int firstBlock, int blocks) {
        ByteBuffer buffer = ByteBuffer.allocate(64 * blocks).order(ByteOrder.LITTLE_ENDIAN);
        int[] words = new int[ChaCha20.WORDS];
        for (int i = 0; i < blocks; i++) {
            int at = i % ChaCha20.BLOCKS;
            if (at == 0) {
                cipher.blocks(firstBlock + i, words);
            }
            for (int k = 0; k < ChaCha20.LONGS_PER_BLOCK; k++) {
                buffer.putLong(ChaCha20.word(words, at, k));
            }
        }
        return buffer.array();
    }

    /** RFC 8439, appendix A.1, test vector 1. */
    @Test
    void zeroKey() {
        String expected = "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
                + "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586";
        assertEquals(expected, HexFormat.of().formatHex(bytes(new ChaCha20(new int[8], 0, 0, 0), 0, 1)));
    }

    /** RFC 8439, section 2.3.2. */
    @Test
    void blockFunctionExample() {
        int[] key = new int[8];
        for (int i = 0; i < 8; i++) {
            key[i] = 0x03020100 + 0x04040404 * i;
        }
        String expected = "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
                + "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e";
        ChaCha20 cipher = new ChaCha20(key, 0x09000000, 0x4a000000, 0);
        assertEquals(expected, HexFormat.of().formatHex(bytes(cipher, 1, 1)));
    }

    @Test
    void agreesWithTheJdkCipher() throws Exception {
        SplittableRandom random = new SplittableRandom(7);
        for (int trial = 0; trial < 20; trial++) {
            byte[] material = new byte[44];
            random.nextBytes(material);
            ByteBuffer words = ByteBuffer.wrap(material).order(ByteOrder.LITTLE_ENDIAN);
            int[] key = new int[8];
            for (int i = 0; i < 8; i++) {
                key[i] = words.getInt();
            }
            ChaCha20 cipher = new ChaCha20(key, words.getInt(), words.getInt(), words.getInt());
            int counter = random.nextInt(1 << 30);
            byte[] nonce = Arrays.copyOfRange(material, 32, 44);
            Cipher jdk = Cipher.getInstance("ChaCha20");
            jdk.init(
                    Cipher.ENCRYPT_MODE,
                    new SecretKeySpec(material, 0, 32, "ChaCha20"),
                    new ChaCha20ParameterSpec(nonce, counter));
            int blocks = 5 + trial * 40;
            assertArrayEquals(jdk.doFinal(new byte[64 * blocks]), bytes(cipher, counter, blocks));
        }
    }

    /** A stream read word by word is the key stream from block 0 on, across what is made at a time. */
    @Test
    void aStreamIsReadFrontToBack() {
        int[] key = {1, 2, 3, 4, 5, 6, 7, 8};
        ChaCha20Random stream = new ChaCha20Random(new ChaCha20(key, 9, 10, 11));
        ByteBuffer expected =
                ByteBuffer.wrap(bytes(new ChaCha20(key, 9, 10, 11), 0, 600)).order(ByteOrder.LITTLE_ENDIAN);
        while (expected.hasRemaining()) {
            assertEquals(expected.getLong(), stream.nextLong());
        }
    }

    @Test
    void countersAreUnsigned() {
        ChaCha20 cipher = new ChaCha20(new int[8], 1, 2, 3);
        byte[] across = bytes(cipher, Integer.MAX_VALUE - 2, 4);
        assertArrayEquals(bytes(cipher, Integer.MIN_VALUE, 1), Arrays.copyOfRange(across, 64 * 3, 64 * 4));
    }

    @Test
    void streamsNeverRepeat() {
        var source = org.sapwood.privacy.random.RandomSource.seeded(1, 0);
        var sampling = org.sapwood.privacy.random.RandomSource.Purpose.SAMPLING;
        var noise = org.sapwood.privacy.random.RandomSource.Purpose.NOISE;
        long first = source.uniform(sampling).nextLong();
        assertNotEquals(first, source.uniform(sampling).nextLong());
        assertNotEquals(first, source.uniform(noise).nextLong());
        var again = org.sapwood.privacy.random.RandomSource.seeded(1, 0);
        assertEquals(first, again.uniform(sampling).nextLong());
    }

    @Test
    void resumedRunsReplayNothing() {
        var purpose = org.sapwood.privacy.random.RandomSource.Purpose.NOISE;
        long first = org.sapwood.privacy.random.RandomSource.seeded(1, 0)
                .uniform(purpose)
                .nextLong();
        long resumed = org.sapwood.privacy.random.RandomSource.seeded(1, 17)
                .uniform(purpose)
                .nextLong();
        assertNotEquals(first, resumed);
        long secure = org.sapwood.privacy.random.RandomSource.secure()
                .uniform(purpose)
                .nextLong();
        assertNotEquals(
                secure,
                org.sapwood.privacy.random.RandomSource.secure()
                        .uniform(purpose)
                        .nextLong());
    }

    @Test
    void saysWhatItIsAndNeverTheKey() {
        var secure = org.sapwood.privacy.random.RandomSource.secure();
        var seeded = org.sapwood.privacy.random.RandomSource.seeded(3, 0);
        assertEquals("secure", secure.description());
        assertEquals("seeded, not private", seeded.description());
        assertTrue(secure.isPrivate());
        assertFalse(seeded.isPrivate());
        assertEquals("RandomSource[secure]", secure.toString());
        int[] key = {0x11111111, 0x11111111, 0x11111111, 0x11111111, 0x11111111, 0x11111111, 0x11111111, 0x11111111};
        assertEquals("ChaCha20[nonce=000000010000000200000003]", new ChaCha20(key, 1, 2, 3).toString());
        assertFalse(new GaussianNoise(new ChaCha20(key, 1, 2, 3)).toString().contains("1111"));
    }

    /**
     * Everything outside the guarantee uses this generator: Random123's answer for counter 0, key 0. Commons RNG steps
     * the counter before a block, so it is seeded one below.
     */
    @Test
    void philoxOfCommonsRng() {
        UniformRandomProvider philox = RandomSource.PHILOX_4X32.create(new int[] {0, 0, -1, -1, -1, -1});
        int[] words = {philox.nextInt(), philox.nextInt(), philox.nextInt(), philox.nextInt()};
        assertArrayEquals(new int[] {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}, words);
    }
}
