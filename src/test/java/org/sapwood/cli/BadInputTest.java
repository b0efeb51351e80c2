package org.sapwood.cli;

import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sapwood.io.Safetensors;
import org.sapwood.io.SafetensorsWriter;
import org.sapwood.io.StoredTensor;

/** Whatever is wrong with the input of a training run: one clear line, the right exit code, and no run folder. */
class BadInputTest {
    private static final int IMAGES = 20;

    @TempDir
    Path folder;

    private TinyModel model;
    private Path data;
    private Path out;

    @BeforeEach
    void writeGoodInput() throws IOException {
        model = TinyModel.write(folder, 0);
        data = folder.resolve("train-images-idx3-ubyte");
        out = folder.resolve("run");
        idx(data, 0x803, IMAGES, IMAGES * 64, IMAGES, 8, 8);
        idx(folder.resolve("train-labels-idx1-ubyte"), 0x801, IMAGES, IMAGES, IMAGES);
    }

    private static void idx(Path file, int magic, int count, int bytes, int... extents) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(4 + 4 * extents.length + bytes).putInt(magic);
        for (int extent : extents) {
            buffer.putInt(extent);
        }
        for (int i = 0; buffer.hasRemaining(); i++) {
            buffer.put((byte) (i % Math.min(10, count)));
        }
        Files.write(file, buffer.array());
    }

    private Run train(String options) {
        return Run.of(
                "train --public-model",
                model.weights(),
                "--data",
                data,
                "--out",
                out,
                "--batch 20 --steps 1 " + options);
    }

    private void refused(int code, Run run, String... parts) {
        run.failed(code, parts);
        assertFalse(Files.exists(out.resolve("run.json")), "a run was started");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--method dp-sapf --epsilon 0              | --epsilon must be > 0, got 0",
                "--method dp-sapf --epsilon -1             | --epsilon must be > 0, got -1",
                "--method dp-sapf --epsilon NaN            | --epsilon must be > 0, got NaN",
                "--method dp-sapf                          | --epsilon is required for --method dp-sapf",
                "--method dp-magic --epsilon 1             | expected one of dp-sapf, dp-lora, dp-diffusion, dp-ldm, dpaf, non-private, got"
                        + " 'dp-magic'",
                "--method dp-lora --epsilon 1 --delta 2    | --delta must be in (0, 1) or auto, got 2",
                "--method dp-lora --epsilon 1 --delta x    | expected auto or a number, got 'x'",
                "--method dp-lora --epsilon 1 --clip-norm 0      | --clip-norm must be > 0, got 0",
                "--method dp-lora --epsilon 1 --clipping hard    | expected one of flat, layer-wise, automatic, got"
                        + " 'hard'",
                "--method dp-lora --epsilon 1 --selection vote   | use --method dp-sapf with --selection vote",
                "--method dp-sapf --epsilon 1 --select-fraction 1.5 | --select-fraction must be in (0, 1], got 1.5",
                "--method dp-lora --epsilon 1 --lora-rank 0      | --lora-rank must be >= 1, got 0",
                "--method dp-lora --epsilon 1 --schedule sine    | unknown noise schedule 'sine'",
                "--method dp-lora --epsilon 1 --timesteps 0.5:0-10 | the weights must sum to 1",
                "--method dp-lora --epsilon 1 --subset 5:2       | --subset must be FROM:TO",
                "--method dp-lora --epsilon 1 --size 0           | --size must be between 1 and",
                "--method dp-lora --epsilon 1 --shift -1         | --shift must be >= 0, got -1",
                "--method dp-lora --epsilon 1 --threads 0        | --threads must be >= 1, got 0",
            })
    void badOptionsAreWrongUsage(String options, String message) {
        refused(2, train(options), message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--method dp-lora --epsilon 1 --subset 0:21 | --subset 0:21 reaches beyond the 20 images",
                "--method dp-lora --epsilon 1 --subset 0:5  | --batch must be at most",
                "--method dp-lora --epsilon 1 --size 16     | 16x16",
                "--method dp-lora --epsilon 1 --channels rgb | 8x8x3",
            })
    void dataThatDoesNotFitFails(String options, String message) {
        refused(1, train(options), message);
    }

    @Test
    void truncatedIdxFails() throws IOException {
        idx(data, 0x803, IMAGES, IMAGES * 64 - 1, IMAGES, 8, 8);
        refused(1, train("--method dp-lora --epsilon 1"), data.toString(), "truncated");
    }

    @Test
    void truncatedGzipFails() throws IOException {
        byte[] plain = Files.readAllBytes(data);
        try (OutputStream zip = new GZIPOutputStream(Files.newOutputStream(data))) {
            zip.write(plain);
        }
        byte[] packed = Files.readAllBytes(data);
        Files.write(data, Arrays.copyOf(packed, packed.length / 2));
        refused(1, train("--method dp-lora --epsilon 1"), data.toString());
    }

    @Test
    void wrongMagicFails() throws IOException {
        idx(data, 0x805, IMAGES, IMAGES * 64, IMAGES, 8, 8);
        refused(1, train("--method dp-lora --epsilon 1"), data.toString(), "00000805");
    }

    @Test
    void missingFilesFail() {
        data = folder.resolve("nowhere");
        refused(1, train("--method dp-lora --epsilon 1"), data.toString(), "no such file or folder");
        model = new TinyModel(model.config(), folder.resolve("nothing.safetensors"));
        refused(1, train("--method dp-lora --epsilon 1"), "nothing.safetensors does not exist");
    }

    @Test
    void nanWeightsFail() throws IOException {
        SafetensorsWriter poisoned = new SafetensorsWriter();
        for (Map.Entry<String, StoredTensor> entry :
                Safetensors.read(model.weights()).tensors().entrySet()) {
            float[] values = entry.getValue().toFloats();
            values[0] = entry.getKey().equals("conv_out.weight") ? Float.NaN : values[0];
            poisoned.f32(entry.getKey(), entry.getValue().shape(), values);
        }
        poisoned.write(model.weights());
        refused(1, train("--method dp-lora --epsilon 1"), "conv_out.weight", "NaN");
    }

    @Test
    void weightsOfAnotherModelFail() throws IOException {
        String wider = Files.readString(model.config())
                .replaceAll("\"block_out_channels\" : \\[ 4, 8 \\]", "\"block_out_channels\" : [ 8, 8 ]");
        Files.writeString(model.config(), wider);
        refused(1, train("--method dp-lora --epsilon 1"), "has shape", "the model expects");
        Files.delete(model.config());
        refused(1, train("--method dp-lora --epsilon 1"), "needs its config.json beside it");
    }

    @Test
    void aFileWhereTheRunShouldGoFails() throws IOException {
        Files.writeString(out, "in the way");
        Run.of(
                        "train --public-model",
                        model.weights(),
                        "--data",
                        data,
                        "--out",
                        out,
                        "--batch 20 --method dp-lora --epsilon 1")
                .failed(1, "cannot create the run folder " + out, "not a folder");
    }
}
