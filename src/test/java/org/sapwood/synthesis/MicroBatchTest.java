package org.sapwood.synthesis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.sapwood.autograd.ParameterVector;
import org.sapwood.io.UserException;
import org.sapwood.nn.UNet;
import org.sapwood.privacy.aggregation.GradientGrid;
import org.sapwood.privacy.clipping.FlatClipping;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Backends;
import org.sapwood.tensor.OutOfDeviceMemoryException;
import org.sapwood.tensor.cuda.EmulatedFault;

/** How many images a device takes at a time: what is chosen or suggested must fit, with all that goes with it. */
class MicroBatchTest {
    private static final long MIB = 1L << 20;

    private static final Pattern SUGGESTION = Pattern.compile("; take --micro-batch (\\d+)$");

    /** One MiB per example. */
    private static MicroBatch simple(GradientEngine.Rows rows, int imagesPerExample) {
        return new MicroBatch(rows, imagesPerExample, examples -> examples * MIB);
    }

    private static String message(MicroBatch sizes, int examples, long free) {
        return sizes.tooLarge(new OutOfDeviceMemoryException("full"), examples, free)
                .getMessage();
    }

    @ParameterizedTest
    @CsvSource({
        "PER_EXAMPLE, 1, 100000, 256", // no more than keep a device busy
        "PER_EXAMPLE, 4, 100000, 64", // which are images, not examples
        "PER_EXAMPLE, 300, 100000, 1",
        "PER_EXAMPLE, 1, 560, 256", // 256 + 128 + 64 + 32, a quarter of 256, and 12
        "PER_EXAMPLE, 1, 555, 128",
        "NORMS, 1, 555, 128",
        "SUMMED, 1, 588, 256", // 256 + 256, a quarter, and 12
        "SUMMED, 1, 587, 128",
        "PER_EXAMPLE, 1, 5, 1",
        "PER_EXAMPLE, 1, -5, 1"
    })
    void theLargestThatFitsIsChosen(GradientEngine.Rows rows, int imagesPerExample, long freeMib, int expected) {
        assertEquals(expected, simple(rows, imagesPerExample).suiting(freeMib * MIB));
    }

    @Test
    void theSuggestionIsSmallerThanWhatFailed() {
        MicroBatch sizes = simple(GradientEngine.Rows.PER_EXAMPLE, 1);
        assertEquals(
                "full: micro-batches of 300 images take about 612 MiB in all; take --micro-batch 64",
                message(sizes, 300, 200 * MIB));
        assertTrue(
                message(sizes, 64, 100_000 * MIB).endsWith("take --micro-batch 32"), "even if 64 should have fitted");
        assertTrue(message(sizes, 5, 100_000 * MIB).endsWith("take --micro-batch 4"));
    }

    @Test
    void theSuggestionCountsImagesAndNotExamples() {
        MicroBatch sizes = simple(GradientEngine.Rows.PER_EXAMPLE, 4);
        assertEquals(
                "full: micro-batches of 256 images take about 148 MiB in all; take --micro-batch 64",
                message(sizes, 64, 50 * MIB));
    }

    @Test
    void withoutASmallerOneSomethingElseIsSuggested() {
        assertTrue(message(simple(GradientEngine.Rows.SUMMED, 1), 1, 100 * MIB)
                .endsWith("in all; train fewer weights, or take --backend simd"));
        assertTrue(message(simple(GradientEngine.Rows.PER_EXAMPLE, 2), 64, 5 * MIB)
                .endsWith("in all; take fewer --augmentations, train fewer weights, or take --backend simd"));
    }

    @Test
    void moreThanATensorCanHoldIsRefusedAtOnce() {
        MicroBatch sizes = new MicroBatch(GradientEngine.Rows.PER_EXAMPLE, 1, examples -> {
            if (examples > 1000) {
                throw new IllegalArgumentException("too large");
            }
            return examples;
        });
        sizes.requirePossible(1000);
        UserException refusal = assertThrows(UserException.class, () -> sizes.requirePossible(5000));
        assertEquals(
                "a micro-batch of 5000 images is more than a tensor can hold; take --micro-batch 512",
                refusal.getMessage());
        assertEquals(256, sizes.suiting(Long.MAX_VALUE / 2));
    }

    // ---- on the emulated device -----------------------------------------------------------------------------------

    /** An engine for a tiny model, as a trainer or a selection makes it. */
    private static final class Work implements AutoCloseable {
        final GradientEngine engine;
        final GradientEngine.Rows rows;
        private final GradientEngine.RowConsumer consumer;

        Work(GradientEngine.Rows rows, int microBatch, int draws) {
            this.rows = rows;
            UNet model = TinyModels.random(6, 3);
            Set<String> selected = Set.copyOf(CandidateSet.ATTENTION.matrices(model));
            model.parameters().trainOnly(name -> rows != GradientEngine.Rows.NORMS || selected.contains(name));
            ParameterVector parameters = model.parameters().trainable();
            engine = new GradientEngine(Backends.choose("cuda"), 2, model, parameters, rows, microBatch, draws, true);
            consumer = switch (rows) {
                case PER_EXAMPLE ->
                    PrivateGradientSum.flat(
                            new GradientGrid(new FlatClipping(1), parameters.size()), parameters, 1, engine);
                case SUMMED -> PublicGradientSum.of(engine, 1, parameters.size());
                case NORMS -> (worker, backend, unit, norms) -> {};
            };
        }

        /** Runs logical batches that need every lane there can be. */
        void runAllLanes() {
            int full = engine.rowsPerMicroBatch();
            if (rows == GradientEngine.Rows.SUMMED) {
                run(2 * full - 1);
                return;
            }
            for (int count = full; count > 0 && count >= full / MicroBatch.SMALLEST_LANE; count /= 2) {
                run(count);
            }
        }

        void run(int examples) {
            engine.run(examples, (worker, example, draw, tape, slot) -> {}, consumer);
        }

        @Override
        public void close() {
            engine.close();
        }
    }

    private static long freeMemory() {
        try (Backend backend = Backends.choose("cuda").open()) {
            return backend.freeMemory();
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatIsChosenFits(GradientEngine.Rows rows) {
        EmulatedFault.requireEmulator();
        long before = freeMemory();
        EmulatedFault.during(EmulatedFault.memory(40 * MIB), () -> {
            try (Work work = new Work(rows, 0, 1)) {
                int images = work.engine.rowsPerMicroBatch();
                assertTrue(images > 1 && images < 32, images + " images were chosen");
                work.runAllLanes();
            }
        });
        assertEquals(before, freeMemory(), "memory was not given back");
    }

    /** Two draws of each example count as two images. */
    @ParameterizedTest
    @EnumSource
    void whatIsSuggestedFits(GradientEngine.Rows rows) {
        EmulatedFault.requireEmulator();
        long before = freeMemory();
        EmulatedFault.during(EmulatedFault.memory(40 * MIB), () -> {
            String message;
            try (Work work = new Work(rows, 1000, 2)) {
                message = assertThrows(UserException.class, () -> work.run(500)).getMessage();
            }
            assertTrue(message.startsWith("Sapwood emulator has "), message);
            assertTrue(message.contains("micro-batches of 1000 images take about "), message);
            Matcher suggestion = SUGGESTION.matcher(message);
            assertTrue(suggestion.find(), message);
            int images = Integer.parseInt(suggestion.group(1));
            try (Work work = new Work(rows, images, 2)) {
                assertEquals(images, 2 * work.engine.rowsPerMicroBatch());
                assertTrue(images >= 4, "a suggestion of " + images + " is timid");
                work.runAllLanes();
            }
        });
        assertEquals(before, freeMemory(), "memory was not given back");
    }
}
