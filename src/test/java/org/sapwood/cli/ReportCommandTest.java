package org.sapwood.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.sapwood.io.Json;
import org.sapwood.synthesis.AutoencoderOptions;
import org.sapwood.synthesis.Method;
import org.sapwood.synthesis.PretrainOptions;
import org.sapwood.synthesis.TrainOptions;
import org.sapwood.synthesis.dpaf.DpafOptions;

/** The page of real runs, tiny ones: the command line that it gives makes the same run again. */
class ReportCommandTest {
    private static final Pattern COMMAND = Pattern.compile("<pre><code>(sapwood .*?)</code>", Pattern.DOTALL);

    @TempDir
    static Path shared;

    private static Path images;
    private static Path pretrained;

    @TempDir
    Path folder;

    @BeforeAll
    static void pretrainATinyModel() throws IOException {
        images = shared.resolve("digits");
        assertEquals(0, Run.of("glyphs --count 20 --out", images).code());
        Path config = Files.writeString(shared.resolve("tiny.json"), Json.pretty(TinyModel.CONFIG.toJson()));
        pretrained = shared.resolve("pretrained");
        Run.of(
                        "pretrain --size 8 --steps 1 --batch 4 --seed 3 --shift 1 --warm-up 7 --quiet --json --data",
                        images,
                        "--config",
                        config,
                        "--out",
                        pretrained)
                .json();
    }

    /** The words of the command line on the page, with another place to write to; the paths here need no quotes. */
    private static Run again(Path run, Path out) throws IOException {
        Matcher command = COMMAND.matcher(Files.readString(run.resolve("report.html")));
        assertTrue(command.find(), "no command line");
        String line = command.group(1).replace("\\\n", " ").replaceAll("\\s+", " ");
        String words = line.substring("sapwood ".length()).replaceFirst("--out \\S+", "--out");
        return Run.of(words + " " + out + " --quiet --json");
    }

    private static Map<String, Object> options(Path run) {
        Map<String, Object> json = new LinkedHashMap<>(Json.readObject(run.resolve("run.json")));
        json.remove("host");
        return json;
    }

    @Test
    void thePagesCommandLineTrainsTheSameRunAgain() throws IOException {
        Path first = folder.resolve("first");
        Run.of(
                        "train --method dp-sapf --epsilon 8 --delta 1e-2 --size 8 --batch 20 --steps 1 --augmentations 1"
                                + " --selection-noise 2 --no-train-label-embedding --flip --label-dropout 0.25 --invert"
                                + " --clipping layer-wise --candidates linear --subset 0:20 --seed 5 --quiet --json",
                        "--data",
                        images,
                        "--public-model",
                        pretrained.resolve("checkpoint-1.safetensors"),
                        "--out",
                        first)
                .json();
        Path second = folder.resolve("second");
        again(first, second).json();
        assertEquals(options(first), options(second));
        assertEquals(
                -1,
                Files.mismatch(first.resolve("checkpoint-1.safetensors"), second.resolve("checkpoint-1.safetensors")));
    }

    @Test
    void thePagesCommandLinePretrainsTheSameModelAgain() throws IOException {
        Path second = folder.resolve("second");
        again(pretrained, second).json();
        assertEquals(options(pretrained), options(second));
    }

    /** Every option that a run records is one that its command takes: what is refused is the missing data, no option. */
    @ParameterizedTest
    @MethodSource("records")
    void everyCommandTakesTheOptionsThatThePageGives(String command, Class<?> record, String method)
            throws IOException {
        Map<String, Object> options = new LinkedHashMap<>();
        for (RecordComponent component : record.getRecordComponents()) {
            options.put(component.getName(), example(component.getType()));
        }
        if (!method.isEmpty()) {
            options.put("method", method);
        }
        options.replace("publicModel", "/nowhere/model.safetensors");
        Path run = folder.resolve("run");
        Files.createDirectories(run);
        Files.writeString(
                run.resolve("run.json"),
                Json.pretty(Map.of("command", command, "backend", "scalar (plain Java)", "options", options)));
        Run.of("report --quiet --json --run", run).json();
        again(run, folder.resolve("again")).failed(1, "/nowhere");
    }

    static Stream<Arguments> records() {
        return Stream.concat(
                Arrays.stream(Method.values())
                        .map(method -> arguments(
                                "train",
                                method == Method.DPAF ? DpafOptions.class : TrainOptions.class,
                                method.name())),
                Stream.of(
                        arguments("pretrain", PretrainOptions.class, ""),
                        arguments("pretrain-autoencoder", AutoencoderOptions.class, "")));
    }

    /** A value in {@code run.json} that the option may have; no text stands for an option that was not given. */
    private static Object example(Class<?> type) {
        if (type.isEnum()) {
            Object[] constants = type.getEnumConstants();
            return constants[constants.length - 1].toString();
        }
        return switch (type.getSimpleName()) {
            case "int", "long", "OptionalInt", "OptionalLong" -> 2;
            case "double", "OptionalDouble" -> 0.5;
            case "boolean" -> false;
            case "String" -> "";
            case "Augmentation" -> Map.of("flip", true, "maxShift", 1);
            case "ImageSource" ->
                Map.of(
                        "locations",
                        List.of("/nowhere"),
                        "subset",
                        "0:",
                        "channels",
                        "GREY",
                        "invert",
                        true,
                        "size",
                        28);
            default -> throw new IllegalArgumentException("no example of a " + type);
        };
    }

    @Test
    void reportWritesThePageAnew() throws IOException {
        Path page = pretrained.resolve("report.html");
        String before = Files.readString(page);
        Files.writeString(page, "old");
        Map<String, Object> json = Run.of("report --json --run", pretrained).json();
        assertEquals(page.toString(), json.get("report"));
        assertEquals(before, Files.readString(page));
        Run.of("report --run", folder).failed(1, "is not the folder of a run");
        Run.of("report").failed(2, "--run");
    }
}
