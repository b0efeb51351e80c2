package org.sapwood.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The command line that makes a run again, from the options in {@code run.json}. Every option is spelled out, so that
 * it means the same to a version with other defaults.
 */
final class CommandLineText {
    private static final int WIDTH = 76;
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9_./:=,@%+-]+");
    private static final String AUTO = "auto";

    private final List<String> words = new ArrayList<>();

    private final RunFacts facts;

    private CommandLineText(RunFacts facts) {
        this.facts = facts;
    }

    /**
     * The words of the command line, unquoted: each option with its value.
     *
     * @param out where the new run is to go
     */
    static List<String> words(RunFacts facts, String out) {
        CommandLineText text = new CommandLineText(facts);
        text.words.add("sapwood");
        text.words.add(facts.command());
        facts.options().forEach((name, value) -> text.append(String.valueOf(name), value));
        String backend = String.valueOf(facts.run().get("backend"));
        if (facts.run().containsKey("backend")) {
            text.option("--backend", backend.split(" ", 2)[0]);
        }
        text.option("--out", out);
        return text.words;
    }

    private void append(String name, @Nullable Object value) {
        switch (value) {
            case Map<?, ?> data when name.equals("data") -> appendData(data);
            case Map<?, ?> group -> group.forEach((inner, item) -> append(String.valueOf(inner), item));
            case null -> {}
            default -> OptionNames.of(facts, name).ifPresent(flag -> appendOption(name, flag, value));
        }
    }

    private void appendOption(String name, String flag, Object value) {
        switch (value) {
            case String text when text.isEmpty() -> {}
            case String text when name.equals("seed") && text.equals(AUTO) -> {}
            case Boolean on when on -> words.add(flag);
            case Boolean _ when isOnByDefault(name) -> words.add(flag.replaceFirst("--", "--no-"));
            case Boolean _ -> {}
            case String text when isConstant(text) -> option(flag, Figures.optionName(text));
            default -> option(flag, String.valueOf(value));
        }
    }

    private void appendData(Map<?, ?> data) {
        RunFacts.list(data.get("locations")).forEach(location -> option("--data", String.valueOf(location)));
        data.forEach((name, value) -> {
            if (!"locations".equals(name)) {
                append(String.valueOf(name), value);
            }
        });
    }

    private void option(String name, String value) {
        words.add(name);
        words.add(value);
    }

    /** Only a flag that is on unless said otherwise has a form to switch it off. */
    private static boolean isOnByDefault(String name) {
        return name.equals("trainLabelEmbedder");
    }

    /** Java's constants are in capitals; nothing else in the options is, but a path, which has more than letters. */
    private static boolean isConstant(String text) {
        return text.matches("[A-Z][A-Z0-9]*(_[A-Z0-9]+)*");
    }

    /** Quoted for a POSIX shell and broken into lines, an option never apart from its value. */
    static String forShell(List<String> words) {
        List<String> units = new ArrayList<>();
        for (String word : words) {
            boolean value = !units.isEmpty()
                    && units.getLast().startsWith("--")
                    && !word.startsWith("--")
                    && !units.getLast().contains(" ");
            if (value) {
                units.add(units.removeLast() + " " + quoted(word));
            } else {
                units.add(quoted(word));
            }
        }
        StringBuilder text = new StringBuilder();
        int column = 0;
        for (String unit : units) {
            if (column > 0 && column + 1 + unit.length() > WIDTH) {
                text.append(" \\\n    ");
                column = 4;
            } else if (column > 0) {
                text.append(' ');
                column++;
            }
            text.append(unit);
            column += unit.length();
        }
        return text.toString();
    }

    private static String quoted(String word) {
        return PLAIN.matcher(word).matches() ? word : "'" + word.replace("'", "'\\''") + "'";
    }
}
