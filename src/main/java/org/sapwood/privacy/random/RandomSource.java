package org.sapwood.privacy.random;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.commons.rng.UniformRandomProvider;

/**
 * The one key of a run and the streams derived from it.
 *
 * <p>Every stream has its own nonce, made of its {@link Purpose} and a running number, so within a process no (key,
 * nonce, counter) is used twice. A {@linkplain #secure() secure} source draws a fresh key each time it is made, so a
 * resumed run shares no stream with the run before it. The key is held in memory only: it cannot be read, printed or
 * serialised. Thread-safe.
 */
public final class RandomSource {

    /** What a stream is for; streams of different purposes never meet. */
    public enum Purpose {
        /** Which examples form a batch. */
        SAMPLING(1),
        /** Noise added to gradient sums. */
        NOISE(2),
        /** Noise added to selection scores. */
        SELECTION(3);

        /** First word of the nonces of its streams. */
        private final int nonceWord;

        Purpose(int nonceWord) {
            this.nonceWord = nonceWord;
        }
    }

    private final int[] key;
    private final String description;
    private final Map<Purpose, AtomicLong> used = new EnumMap<>(Purpose.class);

    private RandomSource(int[] key, String description) {
        this.key = key;
        this.description = description;
        for (Purpose purpose : Purpose.values()) {
            used.put(purpose, new AtomicLong());
        }
    }

    /** A source keyed from the operating system's {@link SecureRandom}: the only kind that is private. */
    public static RandomSource secure() {
        byte[] bytes = new byte[32];
        new SecureRandom().nextBytes(bytes);
        return new RandomSource(words(bytes), "secure");
    }

    /**
     * A source for tests and reproductions, whose noise anyone who knows the seed can subtract.
     *
     * @param seed the run's seed
     * @param resumedAt the number of steps already spent when the run starts, so that a resumed run replays nothing
     */
    public static RandomSource seeded(long seed, long resumedAt) {
        ByteBuffer material = ByteBuffer.allocate(16).putLong(seed).putLong(resumedAt);
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(material.array());
            return new RandomSource(words(digest), "seeded, not private");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform provides SHA-256", e);
        }
    }

    /** The ledger's word for this randomness: {@code "secure"} or {@code "seeded, not private"}. */
    public String description() {
        return description;
    }

    /** Whether the guarantee holds with this source. */
    public boolean isPrivate() {
        return description.equals("secure");
    }

    /** A new stream of uniform words, never handed out before. Not thread-safe itself. */
    public UniformRandomProvider uniform(Purpose purpose) {
        return new ChaCha20Random(next(purpose));
    }

    /** New Gaussian noise, never handed out before: one for each noised sum. */
    public GaussianNoise gaussian(Purpose purpose) {
        return new GaussianNoise(next(purpose));
    }

    private ChaCha20 next(Purpose purpose) {
        long number = Objects.requireNonNull(used.get(purpose)).getAndIncrement();
        return new ChaCha20(key, purpose.nonceWord, (int) number, (int) (number >>> 32));
    }

    private static int[] words(byte[] bytes) {
        int[] words = new int[8];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().get(words);
        return words;
    }

    /** Names the kind of source; the key is not part of it. */
    @Override
    public String toString() {
        return "RandomSource[" + description + "]";
    }
}
