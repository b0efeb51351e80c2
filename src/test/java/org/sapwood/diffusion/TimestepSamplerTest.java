package org.sapwood.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.simple.RandomSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sapwood.io.UserException;

class TimestepSamplerTest {
    private static final int DRAWS = 200_000;

    private static int[] histogram(TimestepSampler sampler, int steps) {
        UniformRandomProvider rng = RandomSource.XO_SHI_RO_256_PP.create(7L);
        int[] counts = new int[steps];
        for (int i = 0; i < DRAWS; i++) {
            counts[sampler.sample(rng)]++;
        }
        return counts;
    }

    private static double share(int[] counts, int from, int to) {
        long sum = 0;
        for (int t = from; t < to; t++) {
            sum += counts[t];
        }
        return (double) sum / DRAWS;
    }

    @Test
    void mixtureHasThePapersWeights() {
        String text = "0.015:0-30,0.785:30-600,0.2:600-1000";
        TimestepSampler sampler = TimestepSampler.parse(text, 1000);
        int[] counts = histogram(sampler, 1000);
        // Five standard deviations of a share are at most 0.0056.
        assertEquals(0.015, share(counts, 0, 30), 0.0056);
        assertEquals(0.785, share(counts, 30, 600), 0.0056);
        assertEquals(0.2, share(counts, 600, 1000), 0.0056);
        // Uniform within a range.
        assertEquals(0.785 / 2, share(counts, 30, 315), 0.0056);
        assertTrue(counts[0] > 0 && counts[999] > 0, "both ends are reached");
        assertEquals(text, sampler.toString());
    }

    @Test
    void uniformReachesEveryTimestep() {
        int[] counts = histogram(TimestepSampler.uniform(10), 10);
        for (int t = 0; t < 10; t++) {
            assertEquals(0.1, share(counts, t, t + 1), 0.0056);
        }
        assertEquals("1.0:0-10", TimestepSampler.parse("uniform", 10).toString());
    }

    @Test
    void rangesMayOverlapAndLeaveGaps() {
        int[] counts = histogram(TimestepSampler.parse("0.5:0-4, 0.5:2-6", 10), 10);
        assertEquals(0.25, share(counts, 2, 3), 0.0056);
        assertEquals(0.125, share(counts, 0, 1), 0.0056);
        assertEquals(0, share(counts, 6, 10));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0.5:0-30|sum to 1",
                "0.5:0-30,0.6:30-60|sum to 1",
                "1:0-1001|<= 1000",
                "1:30-30|from < to",
                "1:50-30|from < to",
                "-1:0-30,2:0-10|(0, 1]",
                "NaN:0-30|weight:from-to",
                "1e999:0-30|(0, 1]",
                "1e:0-30|not a number",
                "1:0|weight:from-to",
                "1:0-30,|weight:from-to",
                "1:-5-30|weight:from-to",
            })
    void badTextIsRefused(String text, String reason) {
        UserException refusal = assertThrows(UserException.class, () -> TimestepSampler.parse(text, 1000));
        assertTrue(refusal.getMessage().contains(reason) && refusal.getMessage().contains(text), refusal.getMessage());
    }
}
