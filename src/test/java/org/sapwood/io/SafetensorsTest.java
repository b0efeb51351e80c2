package org.sapwood.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsTest {
    private static final String EIGHT_BYTES = "\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]";

    @TempDir
    private Path folder;

    @Test
    void everyWrittenTypeComesBack() {
        Path file = folder.resolve("all.safetensors");
        new SafetensorsWriter()
                .metadata("step", "12")
                .u8("u", new int[] {3}, new byte[] {0, 1, (byte) 200})
                .f16("h", new int[] {1, 2}, new float[] {0.1f, -65504f})
                .f32("f", new int[] {2, 2}, new float[] {1.5f, -0f, Float.MIN_VALUE, Float.MAX_VALUE})
                .f64("d", new int[] {}, new double[] {Math.PI})
                .i64("i", new int[] {2}, new long[] {Long.MIN_VALUE, 7})
                .f32("none", new int[] {0, 4}, new float[0])
                .write(file);
        SafetensorsFile read = Safetensors.read(file);
        assertEquals(Map.of("step", "12"), read.metadata());
        assertEquals(
                List.of("d", "i", "f", "none", "h", "u"),
                List.copyOf(read.tensors().keySet()));
        assertArrayEquals(
                new float[] {1.5f, -0f, Float.MIN_VALUE, Float.MAX_VALUE},
                read.require("f").requireShape(2, 2).toFloats());
        assertArrayEquals(new float[] {0.099975586f, -65504f}, read.require("h").toFloats());
        assertArrayEquals(
                new float[] {(float) Math.PI}, read.require("d").requireShape().toFloats());
        assertArrayEquals(new long[] {Long.MIN_VALUE, 7}, read.require("i").toLongs());
        assertArrayEquals(new long[] {0, 1, 200}, read.require("u").toLongs());
        assertArrayEquals(new float[] {0, 1, 200}, read.require("u").toFloats());
        assertEquals(0, read.require("none").elementCount());
    }

    @Test
    void theSameCallsGiveTheSameAlignedBytes() throws IOException {
        Path one = folder.resolve("one");
        Path two = folder.resolve("two");
        for (Path file : List.of(one, two)) {
            new SafetensorsWriter()
                    .metadata("b", "1")
                    .metadata("a", "2")
                    .f32("w", new int[] {1}, new float[] {1})
                    .write(file);
        }
        byte[] bytes = Files.readAllBytes(one);
        assertArrayEquals(bytes, Files.readAllBytes(two));
        assertEquals(0, ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong() % 8);
    }

    @Test
    void metadataInAnotherOrderGivesTheSameBytes() throws IOException {
        Path one = folder.resolve("one");
        Path two = folder.resolve("two");
        new SafetensorsWriter().metadata("a", "2").metadata("b", "1").write(one);
        new SafetensorsWriter().metadata("b", "1").metadata("a", "2").write(two);
        assertArrayEquals(Files.readAllBytes(one), Files.readAllBytes(two));
    }

    @Test
    void valuesAreWrittenAcrossTheEdgesOfTheBuffer() {
        float[] values = new float[40_001];
        for (int i = 0; i < values.length; i++) {
            values[i] = i * 0.25f;
        }
        Path file = folder.resolve("long.safetensors");
        new SafetensorsWriter().f32("w", new int[] {values.length}, values).write(file);
        assertArrayEquals(values, Safetensors.read(file).require("w").toFloats());
    }

    @Test
    void bfloat16AndSmallIntegersAreRead() throws IOException {
        String header = "{\"b\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[0,4]},"
                + "\"s\":{\"dtype\":\"I16\",\"shape\":[1],\"data_offsets\":[4,6]},"
                + "\"t\":{\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[6,7]},"
                + "\"o\":{\"dtype\":\"BOOL\",\"shape\":[1],\"data_offsets\":[7,8]}}";
        SafetensorsFile read =
                Safetensors.read(file(header, new byte[] {(byte) 0x80, 0x3f, 0, (byte) 0xc0, -2, -1, -5, 1}));
        assertArrayEquals(new float[] {1f, -2f}, read.require("b").toFloats());
        assertArrayEquals(new long[] {-2}, read.require("s").toLongs());
        assertArrayEquals(new float[] {-5f}, read.require("t").toFloats());
        assertArrayEquals(new long[] {1}, read.require("o").toLongs());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"w\":{DATA} | header is not valid JSON",
                "[1] | must begin with '{'",
                "{\"w\":{DATA},\"w\":{DATA}} | header is not valid JSON",
                "{\"w\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}} | tensor 'w': F32 [3] takes 12 bytes",
                "{\"w\":{\"dtype\":\"Q9\",\"shape\":[2],\"data_offsets\":[0,8]}} | tensor 'w': has dtype 'Q9'",
                "{\"w\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}} | must hold integers >= 0, got -2",
                "{\"w\":{\"dtype\":\"F32\",\"shape\":[2.5],\"data_offsets\":[0,8]}} | must hold integers >= 0, got 2.5",
                "{\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}} | its data_offsets are [8, 0]",
                "{\"w\":{\"dtype\":\"F32\",\"shape\":[2]}} | tensor 'w': needs dtype, shape and two data_offsets",
                "{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}} | 4 bytes after the last tensor",
                "{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}} | begins at 4, expected 0",
                "{\"v\":{DATA},\"w\":{DATA}} | tensor 'w': its data begins at 0, expected 8",
                "{\"v\":{DATA},\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}} | 'w': truncated",
                "{\"w\":{\"dtype\":\"F32\",\"shape\":[2147483647,2147483647,2147483647],\"data_offsets\":[0,8]}} "
                        + "| is too large",
                "{\"__metadata__\":{\"step\":3},\"w\":{DATA}} | __metadata__.step must be a string"
            })
    void damagedHeadersAreRefused(String header, String message) throws IOException {
        Path file = file(header.replace("DATA", EIGHT_BYTES), new byte[8]);
        assertRefused(file, message);
    }

    @Test
    void truncationIsSeenAtEveryLength() throws IOException {
        byte[] whole = Files.readAllBytes(file("{\"w\":{" + EIGHT_BYTES + "}}", new byte[8]));
        Path file = folder.resolve("short.safetensors");
        for (int length = 0; length < whole.length; length++) {
            Files.write(file, Arrays.copyOf(whole, length));
            assertRefused(file, "truncated");
        }
    }

    @Test
    void aHeaderThatClaimsGigabytesIsRefusedBeforeItIsRead() throws IOException {
        Path file = folder.resolve("huge.safetensors");
        Files.write(file, new byte[] {0, 0, 0, 0, 0, 0, 0, (byte) 0x80, '{', '}'});
        assertRefused(file, "the header claims 9223372036854775808 bytes");
    }

    @Test
    void aMissingFileIsNamed() {
        Path file = folder.resolve("absent.safetensors");
        UserException refusal = assertThrows(UserException.class, () -> Safetensors.read(file));
        assertEquals("cannot read " + file + ": no such file or folder", refusal.getMessage());
    }

    @Test
    void nonFiniteWeightsAreFoundAndNamed() {
        Path file = folder.resolve("nan.safetensors");
        new SafetensorsWriter()
                .f32("good", new int[] {1}, new float[] {1})
                .f16("bad", new int[] {3}, new float[] {0, 1, Float.NaN})
                .write(file);
        UserException refusal =
                assertThrows(UserException.class, () -> Safetensors.read(file).requireFinite());
        assertTrue(
                refusal.getMessage().startsWith(file + ": tensor 'bad' holds NaN at flat index 2"),
                refusal.getMessage());
    }

    @Test
    void wrongUsesNameTheTensor() {
        Path file = folder.resolve("w.safetensors");
        new SafetensorsWriter().f32("w", new int[] {2}, new float[2]).write(file);
        SafetensorsFile read = Safetensors.read(file);
        assertTrue(assertThrows(UserException.class, () -> read.require("w").requireShape(1, 2))
                .getMessage()
                .contains("tensor 'w' has shape [2], expected [1, 2]"));
        assertThrows(UserException.class, () -> read.require("w").toLongs());
        assertThrows(UserException.class, () -> read.require("v"));
        assertThrows(
                UserException.class, () -> new SafetensorsWriter().f16("big", new int[] {1}, new float[] {70_000f}));
        SafetensorsWriter writer = new SafetensorsWriter().f32("w", new int[] {1}, new float[1]);
        assertThrows(IllegalArgumentException.class, () -> writer.f32("w", new int[] {1}, new float[1]));
        assertThrows(IllegalArgumentException.class, () -> writer.f32("v", new int[] {2}, new float[1]));
    }

    private void assertRefused(Path file, String message) {
        UserException refusal = assertThrows(UserException.class, () -> Safetensors.read(file));
        assertTrue(refusal.getMessage().startsWith(file.toString()), refusal.getMessage());
        assertTrue(refusal.getMessage().contains(message), refusal.getMessage());
    }

    private Path file(String header, byte[] data) throws IOException {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(8 + json.length + data.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(json.length).put(json).put(data);
        return Files.write(folder.resolve("made.safetensors"), bytes.array());
    }
}
