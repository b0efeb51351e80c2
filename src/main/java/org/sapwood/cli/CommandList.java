package org.sapwood.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.IHelpSectionRenderer;
import picocli.CommandLine.Model.CommandSpec;

/** The list of commands in {@code sapwood --help}, by what they are for. */
final class CommandList implements IHelpSectionRenderer {
    private static final int NAME_WIDTH = 22;

    private static final Map<String, List<String>> GROUPS = groups();

    private static Map<String, List<String>> groups() {
        Map<String, List<String>> groups = new LinkedHashMap<>();
        groups.put("Look around", List.of("demo", "doctor", "glyphs"));
        groups.put(
                "Make synthetic images",
                List.of(
                        "pretrain-autoencoder",
                        "pretrain",
                        "train",
                        "resume",
                        "sample",
                        "evaluate",
                        "report",
                        "compare"));
        groups.put("Check the claims", List.of("privacy", "parity", "bench", "bench-gpu"));
        return groups;
    }

    @Override
    public String render(Help help) {
        Map<String, CommandLine> commands = help.commandSpec().subcommands();
        StringBuilder text = new StringBuilder();
        GROUPS.forEach((title, names) -> {
            text.append(String.format("%n%s:%n", title));
            for (String name : names) {
                CommandLine command = commands.get(name);
                if (command != null) {
                    text.append(row(name, command.getCommandSpec()));
                }
            }
        });
        return text.toString();
    }

    private static String row(String name, CommandSpec command) {
        return String.format(
                "  %-" + NAME_WIDTH + "s%s%n",
                name,
                String.join(" ", command.usageMessage().header()));
    }
}
