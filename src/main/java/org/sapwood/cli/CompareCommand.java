package org.sapwood.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.sapwood.cli.compare.Cell;
import org.sapwood.cli.compare.ChildJvm;
import org.sapwood.cli.compare.CommandLines;
import org.sapwood.cli.compare.CompareSpec;
import org.sapwood.cli.compare.Comparison;
import org.sapwood.cli.compare.Stage;
import org.sapwood.io.UserException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;

/** {@code sapwood compare}: runs a grid of experiments and puts them side by side. */
@Command(
        name = "compare",
        header = "Run a grid of experiments and put them side by side.",
        description = {
            "",
            "Each cell of the grid is trained, sampled and evaluated in a run folder of its own below DIR."
                    + " DIR/compare.md and DIR/compare.csv hold the table, DIR/compare.png the picture; they grow with"
                    + " every cell. Started again, it goes on where it stopped: complete cells are passed over, a killed"
                    + " private run goes on with the budget it has left. A cell that fails is reported, the others go on,"
                    + " and the exit code is 1.",
            "",
            "The spec is a JSON file; its options are those of train, sample and evaluate without dashes, checked"
                    + " before anything runs. Relative paths begin where compare is started, as on any command line:",
            "",
            "  {\"train\": {\"public-model\": \"model.safetensors\", \"data\": \"mnist\", \"subset\": \"0:8000\"},",
            "   \"sample\": {\"count\": 1500},",
            "   \"evaluate\": {\"test\": \"mnist\", \"test-subset\": \"8000:10000\"},",
            "   \"grid\": {\"epsilon\": [1, 10]},",
            "   \"runs\": [{\"name\": \"DP-SAPF\", \"train\": {\"method\": \"dp-sapf\"}},",
            "            {\"name\": \"DP-LoRA\", \"train\": {\"method\": \"dp-lora\"}}],",
            "   \"repeats\": 1}",
            "",
            "More in docs/compare.md; ready specs in docs/specs.",
            "",
        })
@SuppressWarnings("NullAway.Init") // picocli sets the annotated fields
final class CompareCommand implements Callable<Integer> {
    /** How a run is computed, not what it is: these reach every command that the spec does not give them to. */
    private static final List<String> MACHINE = List.of("threads", "backend", "precision");

    @Spec
    private CommandSpec command;

    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Option(names = "--spec", required = true, paramLabel = "FILE", description = "What is compared: a JSON file.")
    private Path specFile;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "Where the runs and the table go (default: runs/ and the spec's name).")
    private @Nullable Path out;

    @Option(
            names = "--dry-run",
            description = "Check the spec, print each cell, how far it is and its commands, and run nothing.")
    private boolean dryRun;

    @Override
    public Integer call() throws InterruptedException {
        if (common.seed().isPresent()) {
            throw common.check()
                    .error("--seed is no option of a comparison; give \"seed\" in the spec's train, and those runs are"
                            + " marked \"seeded, not private\"");
        }
        common.threads();
        CompareSpec spec = CompareSpec.read(specFile);
        List<Cell> cells = spec.cells(new Parser());
        Path folder = out == null ? Path.of("runs", baseName(specFile)) : out;
        Comparison comparison = new Comparison(spec, cells, folder);
        comparison.requireFit();
        if (dryRun) {
            show(comparison);
            return ExitCode.OK;
        }
        Comparison.Result result = comparison.run(new ChildJvm(Main.class.getName()), machine(), common::note);
        report(result, cells.size());
        return result.failed().isEmpty() ? ExitCode.OK : ExitCode.SOFTWARE;
    }

    private Map<String, String> machine() {
        Map<String, String> given = new LinkedHashMap<>();
        for (String option : MACHINE) {
            Object value = command.commandLine().getParseResult().matchedOptionValue("--" + option, null);
            if (value != null) {
                given.put(option, value.toString());
            }
        }
        return given;
    }

    private static String baseName(Path file) {
        return String.valueOf(file.getFileName()).replaceFirst("\\.json$", "");
    }

    private void show(Comparison comparison) {
        List<Map<String, Object>> data = new ArrayList<>();
        List<String> text = new ArrayList<>();
        for (Comparison.State state : comparison.states()) {
            Map<String, Object> cell = new LinkedHashMap<>();
            cell.put("cell", state.cell().name());
            cell.put("state", state.state());
            text.add(state.cell().name() + ": " + state.state());
            for (Stage stage : Stage.values()) {
                List<String> words = state.cell().command(stage, state.folder());
                cell.put(stage.text(), words);
                text.add("  sapwood " + ShellWords.join(words));
            }
            data.add(cell);
        }
        text.add(data.size() + " cells; nothing was run");
        common.result(Map.of("cells", data), text);
    }

    private void report(Comparison.Result result, int cells) {
        Map<String, Object> data = new LinkedHashMap<>();
        data.put("table", result.table());
        data.put("csv", result.csv());
        data.put("picture", result.picture().orElse(null));
        data.put("cells", cells);
        data.put("complete", result.complete());
        data.put("failed", result.failed());
        List<String> text = new ArrayList<>();
        text.add(result.complete() + " of " + cells + " cells complete");
        result.failed().forEach((cell, reason) -> text.add("failed: " + cell + ": " + reason));
        text.add("open " + result.table());
        result.picture().ifPresent(picture -> text.add("open " + picture));
        common.result(data, text);
    }

    /** Asks picocli. */
    private final class Parser implements CommandLines {
        @Override
        public void check(String cell, List<String> words) {
            String where = specFile + ": cell " + cell + ": " + words.getFirst() + ": ";
            ParseResult parsed;
            try {
                parsed = Main.commandLine()
                        .parseArgs(words.toArray(String[]::new))
                        .subcommand();
            } catch (ParameterException e) {
                throw common.check().error(where + Failures.line(e));
            }
            // Picocli leaves the required options of a group that is only a heading to the command.
            for (OptionSpec option : parsed.commandSpec().options()) {
                ArgGroupSpec group = option.group();
                if (option.required() && group != null && !group.validate() && !parsed.hasMatchedOption(option)) {
                    throw common.check().error(where + option.longestName() + " is required");
                }
            }
        }

        @Override
        public boolean knows(Stage stage, String option) {
            CommandLine of = Main.commandLine().getSubcommands().get(stage.text());
            if (of == null) {
                throw new UserException("there is no command " + stage.text());
            }
            CommandSpec options = of.getCommandSpec();
            return options.findOption(option) != null
                    || options.negatedOptionsMap().containsKey(option);
        }
    }
}
