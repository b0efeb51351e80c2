package org.sapwood.tensor.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.sapwood.privacy.random.GaussianNoise;
import org.sapwood.privacy.random.RandomSource;
import org.sapwood.privacy.random.RandomSource.Purpose;
import org.sapwood.tensor.DeviceTraining.Noise;

/** The noise of {@code kernels/noise_step.cu} and its step of plain gradient descent. */
class NoiseStepTest {
    /** RFC 8439, section 2.3.2: the block of counter 1 for the key 00 … 1f. */
    private static final String RFC_BLOCK = "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
            + "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e";

    private static final int[] RFC_NONCE = {0x09000000, 0x4a000000, 0};

    /** RFC 8439, appendix A.1, test vectors 1 and 2: key and nonce of zeros, counters 0 and 1. */
    private static final String ZERO_BLOCKS = "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
            + "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"
            + "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
            + "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f";

    private record Step(long[] sums, float[] weights, float[] averages, double squares) {}

    /** Plain gradient descent with rate −1 from zero: the weights become the means. */
    private static Step descend(CudaStream stream, long[] sums, Noise noise, double perUnit) {
        return descend(stream, sums, new float[sums.length], noise, perUnit, 0, -1, 0.5);
    }

    private static Step descend(
            CudaStream stream,
            long[] sums,
            float[] start,
            Noise noise,
            double perUnit,
            float keep,
            float stepSize,
            double averageShare) {
        int size = sums.length;
        int blocks = Math.ceilDiv(size, 2048);
        long sumsAt = OnDevice.longs(stream, sums);
        long weights = OnDevice.floats(stream, start);
        long averages = OnDevice.floats(stream, start);
        long partials = OnDevice.doubles(stream, new double[blocks]);
        Launch launch = stream.kernel("noise_step", "noise_step_sgd")
                .i32(size)
                .address(sumsAt)
                .address(weights)
                .address(averages)
                .address(partials);
        IntStream.concat(Arrays.stream(noise.key()), Arrays.stream(noise.nonce()))
                .forEach(launch::i32);
        launch.f64(noise.deviation())
                .f64(perUnit)
                .f32(stepSize)
                .f32(keep)
                .f32(3 * stepSize)
                .f32(keep)
                .i32(size / 2)
                .i32(size / 2 + 1)
                .f64(averageShare)
                .blocks(blocks, 256);
        return new Step(
                OnDevice.readLongs(stream, sumsAt, size),
                OnDevice.readFloats(stream, weights, size),
                OnDevice.readFloats(stream, averages, size),
                Arrays.stream(OnDevice.readDoubles(stream, partials, blocks)).sum());
    }

    /** Box–Muller in StrictMath, straight from its definition, of one block of a key stream. */
    private static double[] normals(String block) {
        ByteBuffer bytes = ByteBuffer.wrap(HexFormat.of().parseHex(block)).order(ByteOrder.LITTLE_ENDIAN);
        double[] normals = new double[bytes.remaining() / 8];
        for (int k = 0; k < normals.length; k += 2) {
            double u = ((bytes.getLong() >>> 1) + 0.5) * 0x1p-63;
            double turn = bytes.getLong() * 0x1p-64;
            double r = StrictMath.sqrt(-2 * StrictMath.log(u));
            normals[k] = r * StrictMath.cos(2 * Math.PI * turn);
            normals[k + 1] = r * StrictMath.sin(2 * Math.PI * turn);
        }
        return normals;
    }

    @Test
    void theKeyStreamIsThatOfTheRfc() {
        try (CudaStream stream = OnDevice.stream()) {
            int[] key = new int[8];
            Arrays.setAll(key, i -> 0x03020100 + 0x04040404 * i);
            double deviation = 0x1p40;
            float[] means = descend(stream, new long[17], new Noise(key, RFC_NONCE, deviation), 0x1p-40)
                    .weights();
            double[] expected = normals(RFC_BLOCK);
            for (int i = 0; i < 8; i++) {
                // Coordinate 8, in the middle, has a rate of its own.
                assertEquals(expected[i], means[8 + i] / (i == 0 ? 3 : 1), 1e-6, "coordinate " + (8 + i));
            }
            float[] ofZeros = descend(stream, new long[15], new Noise(new int[8], new int[3], deviation), 0x1p-40)
                    .weights();
            double[] expectedOfZeros = normals(ZERO_BLOCKS);
            for (int i = 0; i < 15; i++) {
                assertEquals(expectedOfZeros[i], ofZeros[i] / (i == 7 ? 3 : 1), 1e-6, "coordinate " + i);
            }
        }
    }

    /**
     * Sums that hold the negative of the expected noise at 2⁵⁸ units per standard deviation: one wrong bit of one
     * normal leaves something over.
     */
    @Test
    void everyBitOfTheNoiseIsThatOfTheHost() {
        try (CudaStream stream = OnDevice.stream()) {
            for (double deviation : new double[] {0x1p58, 1.23456789e17, 6_000_000.7, 0.4}) {
                int size = 3 * 2048 + 13;
                GaussianNoise host = RandomSource.seeded(17, 3).gaussian(Purpose.NOISE);
                Noise handed =
                        RandomSource.seeded(17, 3).gaussian(Purpose.NOISE).handOver(deviation);
                long[] sums = new long[size];
                GaussianNoise.Scratch scratch = new GaussianNoise.Scratch();
                double[] normals = {};
                for (int j = 0; j < size; j++) {
                    int at = j % GaussianNoise.TILE;
                    if (at == 0) {
                        normals = host.tile(j / GaussianNoise.TILE, scratch);
                    }
                    sums[j] = -(long) Math.rint(deviation * normals[at]);
                }
                sums[100] += 3;
                sums[size - 1] -= 4;
                Step step = descend(stream, sums, handed, 0.5);
                float[] expected = new float[size];
                expected[100] = 1.5f;
                expected[size - 1] = -2;
                assertArrayEquals(expected, step.weights());
                assertEquals(25, step.squares());
                assertArrayEquals(new long[size], step.sums(), "the sums are zeroed");
            }
        }
    }

    @Test
    void gradientDescentKeepsDecaysAndAverages() {
        try (CudaStream stream = OnDevice.stream()) {
            int size = 70;
            long[] sums = new long[size];
            float[] start = new float[size];
            for (int j = 0; j < size; j++) {
                sums[j] = 12_345_678_901L * j - 99_999_999_999L;
                start[j] = (float) Math.sin(j);
            }
            double perUnit = 0x1p-37 / 3;
            float keep = 0.999f;
            float stepSize = 0.1f;
            double share = 1 - 0.9;
            Step step =
                    descend(stream, sums, start, new Noise(new int[8], new int[3], 0), perUnit, keep, stepSize, share);
            for (int j = 0; j < size; j++) {
                float mean = (float) (sums[j] * perUnit);
                float weight = keep * start[j] - (j == size / 2 ? 3 * stepSize : stepSize) * mean;
                assertEquals(weight, step.weights()[j]);
                assertEquals(start[j] + (float) (share * (weight - start[j])), step.averages()[j]);
            }
        }
    }
}
