package org.sapwood.synthesis;

import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntToLongFunction;
import org.sapwood.io.UserException;
import org.sapwood.tensor.OutOfDeviceMemoryException;

/**
 * How many examples a device takes at a time, from what they need of its memory: as many as keep it busy, if they fit
 * beside the weights, the state of the training and the smaller micro-batches that a logical batch may end with.
 */
final class MicroBatch {
    /** On the host, where it keeps the activations of a small UNet near the core that computes them. */
    static final int HOST = 8;

    /** On the host in ordinary training, where there is one row of gradients and not one per image. */
    static final int HOST_SUMMED = 16;

    /**
     * A last micro-batch that is not full runs on a lane of half the size, or a quarter, or an eighth, if it fits there.
     */
    static final int SMALLEST_LANE = 8;

    /** Images beyond which a large GPU is busy, and a batch that is not a multiple wastes more. */
    private static final int DEVICE = 256;

    /** Scratch memory of the kernels: so much at least, and a share of what a lane takes. */
    private static final long LEAST_SCRATCH = 12L << 20;

    private static final double SCRATCH_SHARE = 0.25;

    /** What needs more than one tensor can hold. */
    private static final long TOO_LARGE = Long.MAX_VALUE / 16;

    private final GradientEngine.Rows rows;
    private final int imagesPerExample;
    private final IntToLongFunction laneBytes;
    private final Map<Integer, Long> known = new TreeMap<>();

    /**
     * @param imagesPerExample images that an example is at a time, its draws
     * @param laneBytes what a lane of so many examples takes; throws {@link IllegalArgumentException} if a tensor of it
     *     were too large
     */
    MicroBatch(GradientEngine.Rows rows, int imagesPerExample, IntToLongFunction laneBytes) {
        this.rows = rows;
        this.imagesPerExample = imagesPerExample;
        this.laneBytes = laneBytes;
    }

    /**
     * The largest power of two that fits and is up to 256 images; 1 if nothing fits.
     *
     * @param free bytes for everything that grows with it
     */
    int suiting(long free) {
        int most = Integer.highestOneBit(Math.max(1, DEVICE / imagesPerExample));
        return Math.max(1, fitting(most, free));
    }

    /** The largest power of two up to {@code most} that fits, 0 if none does. */
    private int fitting(int most, long free) {
        int examples = Integer.highestOneBit(most);
        while (examples > 0 && bytes(examples) > free) {
            examples /= 2;
        }
        return examples;
    }

    /** What micro-batches of so many examples take, with all lanes that they may come to need. */
    private long bytes(int examples) {
        long full = lane(examples);
        if (full == TOO_LARGE) {
            return TOO_LARGE;
        }
        long lanes = full;
        switch (rows) {
            // The rest may be one example less than a micro-batch.
            case SUMMED -> lanes += examples == 1 ? 0 : full;
            case PER_EXAMPLE, NORMS -> {
                for (int part = 2; part <= SMALLEST_LANE && examples % part == 0; part *= 2) {
                    lanes += lane(examples / part);
                }
            }
        }
        return lanes + LEAST_SCRATCH + (long) (SCRATCH_SHARE * full);
    }

    private long lane(int examples) {
        return known.computeIfAbsent(examples, number -> {
            try {
                return laneBytes.applyAsLong(number);
            } catch (IllegalArgumentException e) {
                return TOO_LARGE;
            }
        });
    }

    /**
     * Refuses what no device could take.
     *
     * @throws UserException if a tensor of it were too large
     */
    void requirePossible(int examples) {
        if (lane(examples) == TOO_LARGE) {
            throw new UserException("a micro-batch of " + images(examples) + " images is more than a tensor can hold; "
                    + advice(examples, TOO_LARGE - 1));
        }
    }

    /**
     * What to tell whoever asked for more than fits.
     *
     * @param free bytes that there were for everything that grows with the micro-batch
     */
    UserException tooLarge(OutOfDeviceMemoryException cause, int examples, long free) {
        return new UserException(
                cause.getMessage() + ": micro-batches of " + images(examples) + " images take about "
                        + mib(bytes(examples)) + " MiB in all; " + advice(examples, free),
                cause);
    }

    private String advice(int examples, long free) {
        int fewer = fitting(examples - 1, free);
        if (fewer > 0) {
            return "take --micro-batch " + images(fewer);
        }
        return (imagesPerExample > 1 ? "take fewer --augmentations, " : "")
                + "train fewer weights, or take --backend simd";
    }

    private int images(int examples) {
        return examples * imagesPerExample;
    }

    private static long mib(long bytes) {
        return Math.ceilDiv(bytes, 1L << 20);
    }
}
