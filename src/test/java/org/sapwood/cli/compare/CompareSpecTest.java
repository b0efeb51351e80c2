package org.sapwood.cli.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sapwood.io.Json;
import org.sapwood.io.UserException;

@Tag("no-vector")
class CompareSpecTest {
    private static CompareSpec spec(String json) {
        return CompareSpec.parse(Json.parseObject(json.replace('\'', '"'), "s.json"), "s.json", "s.json");
    }

    private static List<Cell> cells(String json) {
        return spec(json).cells(new FakeCommands());
    }

    private static List<String> names(String json) {
        return cells(json).stream().map(Cell::name).toList();
    }

    @Test
    void everyPointOfTheGridIsACellAndRunsComeBeforeRepeats() {
        assertEquals(
                List.of(
                        "a-b_epsilon-1_select-fraction-0.05",
                        "a-b_epsilon-1_select-fraction-0.3",
                        "a-b_epsilon-10_select-fraction-0.05",
                        "a-b_epsilon-10_select-fraction-0.3",
                        "plain",
                        "a-b_epsilon-1_select-fraction-0.05_repeat-2",
                        "a-b_epsilon-1_select-fraction-0.3_repeat-2",
                        "a-b_epsilon-10_select-fraction-0.05_repeat-2",
                        "a-b_epsilon-10_select-fraction-0.3_repeat-2",
                        "plain_repeat-2"),
                names("{'grid': {'epsilon': [1, 10.0], 'select-fraction': [5e-2, 0.3]}, 'repeats': 2,"
                        + " 'runs': [{'name': 'a (b)'}, {'name': 'plain', 'grid': {}}]}"));
    }

    /** Those that exist keep their names, so their runs stay theirs. */
    @Test
    void namesDoNotChangeWhenTheSpecGrows() {
        List<String> before = names("{'grid': {'epsilon': [1]}, 'runs': [{'name': 'x'}]}");
        List<String> after =
                names("{'grid': {'epsilon': [5, 1]}, 'repeats': 3, 'runs': [{'name': 'w'}, {'name': 'x'}]}");
        assertTrue(after.containsAll(before), before + " in " + after);
    }

    @Test
    void valuesBecomeTheWordsOfACommandLine() {
        Cell cell = cells("{'train': {'epsilon': 10, 'data': ['a', 'b'], 'flip': true, 'warm-up': 5, 'label': 0.00001},"
                        + " 'sample': {'count': 1500}, 'evaluate': {'test': 't', 'invert': false, 'subset': '0:5'},"
                        + " 'grid': {'sample.guidance-scale': [1.5], 'epsilon': [1]},"
                        + " 'runs': [{'name': 'x', 'train': {'flip': false, 'warm-up': null, 'method': 'dp-lora'}}]}")
                .getFirst();
        Path run = Path.of("r");
        assertEquals(
                "train --out r --epsilon 1 --data a --data b --no-flip --label 0.00001 --method dp-lora",
                String.join(" ", cell.command(Stage.TRAIN, run)));
        assertEquals(
                "sample --run r --count 1500 --guidance-scale 1.5", String.join(" ", cell.command(Stage.SAMPLE, run)));
        // --invert has no --no-invert here, so false is leaving it out.
        assertEquals("evaluate --run r --test t --subset 0:5", String.join(" ", cell.command(Stage.EVALUATE, run)));
        assertEquals("x_sample.guidance-scale-1.5_epsilon-1", cell.name());
    }

    @Test
    void aKilledTrainingGoesOnAsItWasComputed() {
        Cell cell = cells("{'train': {'threads': 2, 'backend': 'simd', 'steps': 5}, 'runs': [{'name': 'x'}]}")
                .getFirst();
        assertEquals(List.of("resume", "r", "--threads", "2", "--backend", "simd"), cell.resume(Path.of("r")));
    }

    /** All are refused before any cell is run, each with a message that names the place. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{}                                                   | runs must be a list of at least one",
                "{'runs': []}                                         | runs must be a list of at least one",
                "{'runs': [{'train': {}}]}                            | runs[0].name must be a text",
                "{'runs': [{'name': '/'}]}                            | runs[0].name must be a text",
                "{'runs': [{'name': 'a'}, {'name': 'a'}]}             | two runs are called a",
                "{'runs': [{'name': 'a b'}, {'name': 'A-b'}]}         | would use the folder A-b, as does run a b",
                "{'runs': [{'name': 'cells'}]}                        | would use the folder cells",
                "{'runs': [{'name': 'a'}], 'reapeats': 2}             | unknown section 'reapeats'; there are"
                        + " [evaluate,",
                "{'runs': [{'name': 'a', 'epsilon': 2}]}              | runs[0]: unknown section 'epsilon'",
                "{'runs': [{'name': 'a'}], 'repeats': 0}              | repeats must be a whole number >= 1, got 0",
                "{'runs': [{'name': 'a'}], 'repeats': 1.5}            | repeats must be a whole number >= 1, got 1.5",
                "{'runs': [{'name': 'a'}], 'title': 3}                | title must be a text, got 3",
                "{'runs': [{'name': 'a'}], 'train': []}               | train must be an object of options",
                "{'runs': [{'name': 'a'}], 'train': {'--steps': 1}}   | names options without dashes",
                "{'runs': [{'name': 'a'}], 'train': {'out': 'x'}}     | train.out is set by compare itself",
                "{'runs': [{'name': 'a'}], 'sample': {'run': 'x'}}    | sample.run is set by compare itself",
                "{'runs': [{'name': 'a'}], 'evaluate': {'json': true}} | evaluate.json is set by compare itself",
                "{'runs': [{'name': 'a'}], 'train': {'steps': {}}}    | train.steps must be a text, a number",
                "{'runs': [{'name': 'a'}], 'grid': {'steps': 5}}      | grid.steps must be a list of values",
                "{'runs': [{'name': 'a'}], 'grid': {'steps': []}}     | grid.steps must be a list of values",
                "{'runs': [{'name': 'a'}], 'grid': {'steps': [1, 1.0]}} | grid.steps names 1 twice",
                "{'runs': [{'name': 'a'}], 'grid': {'a': [1], 'train.a': [2]}} | varies a twice",
                "{'runs': [{'name': 'a', 'train': {'steps': 1}}], 'grid': {'steps': [5]}} | sets steps, which its grid"
                        + " varies",
                "{'runs': [{'name': 'a'}], 'repeats': 2, 'train': {'seed': 1}} | has a train.seed, so its 2 repeats",
            })
    void whatIsNoSpecIsRefused(String json, String message) {
        String said = assertThrows(UserException.class, () -> cells(json)).getMessage();
        assertTrue(said.contains(message), said);
    }

    /** The last cell's command line is wrong: the commands are asked about every one. */
    @Test
    void everyCommandLineIsCheckedByItsCommand() {
        String said = assertThrows(
                        IllegalArgumentException.class,
                        () -> cells("{'grid': {'epsilon': [1, 2]}, 'runs': [{'name': 'a'},"
                                + " {'name': 'b', 'evaluate': {'wrong': true}}]}"))
                .getMessage();
        assertEquals("b_epsilon-1: evaluate: unknown option --wrong", said);
        assertThrows(
                IllegalArgumentException.class,
                () -> cells("{'runs': [{'name': 'b', 'train': {'wrong': false}}]}"),
                "false must not hide an option that does not exist");
    }
}
