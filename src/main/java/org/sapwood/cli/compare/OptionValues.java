package org.sapwood.cli.compare;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.sapwood.io.UserException;

/**
 * Options of one command as a spec gives them: the name on the command line without its dashes, and a text, a number,
 * true, false, or a list for an option that is repeated. {@code null} takes back what a more general section said.
 *
 * @param values by name, in the order of the spec
 */
record OptionValues(SequencedMap<String, @Nullable Object> values) {
    static final OptionValues NONE = new OptionValues(new LinkedHashMap<>());

    /**
     * Reads a section of a spec.
     *
     * @param json what stands there, null for nothing
     * @param where names the section in messages
     * @throws UserException when it is no object of options
     */
    static OptionValues read(@Nullable Object json, Stage stage, String where) {
        if (json == null) {
            return NONE;
        }
        if (!(json instanceof Map<?, ?> map)) {
            throw new UserException(where + " must be an object of options, got " + json);
        }
        SequencedMap<String, @Nullable Object> values = new LinkedHashMap<>();
        map.forEach((key, value) -> {
            String option = String.valueOf(key);
            requireOption(option, stage, where);
            requireValue(value, where + "." + option);
            values.put(option, value);
        });
        return new OptionValues(values);
    }

    /** Refuses what is no name of an option or is none of the spec's business. */
    static void requireOption(String option, Stage stage, String where) {
        if (option.startsWith("-") || option.isBlank()) {
            throw new UserException(where + " names options without dashes, as epsilon for --epsilon, got " + option);
        }
        if (stage.decides(option)) {
            throw new UserException(where + "." + option + " is set by compare itself; leave it out");
        }
    }

    static void requireValue(@Nullable Object value, String where) {
        boolean fits = switch (value) {
            case null -> true;
            case List<?> items ->
                !items.isEmpty() && items.stream().allMatch(i -> i instanceof String || i instanceof Number);
            default -> value instanceof String || value instanceof Number || value instanceof Boolean;
        };
        if (!fits) {
            throw new UserException(
                    where + " must be a text, a number, true, false or a list of texts or numbers, got " + value);
        }
    }

    /** These options, and those of a more special section in the place of equal ones. */
    OptionValues with(OptionValues special) {
        SequencedMap<String, @Nullable Object> merged = new LinkedHashMap<>(values);
        special.values.forEach((option, value) -> {
            if (value == null) {
                merged.remove(option);
            } else {
                merged.put(option, value);
            }
        });
        return new OptionValues(merged);
    }

    /** These options with one more. */
    OptionValues with(String option, Object value) {
        SequencedMap<String, @Nullable Object> one = new LinkedHashMap<>();
        one.put(option, value);
        return with(new OptionValues(one));
    }

    boolean has(String option) {
        return values.get(option) != null;
    }

    /** The value as a person types it, null where the option is not given. */
    @Nullable
    String get(String option) {
        Object value = values.get(option);
        return value == null ? null : text(value);
    }

    /**
     * The words of a command line. {@code true} is the bare option; {@code false} is its {@code --no-} form where it
     * has one, and otherwise nothing.
     */
    List<String> words(Stage stage, CommandLines commands) {
        List<String> words = new ArrayList<>();
        values.forEach((option, value) -> {
            switch (value) {
                case null -> {}
                case Boolean on when on -> words.add("--" + option);
                case Boolean off -> {
                    if (commands.knows(stage, "--no-" + option)) {
                        words.add("--no-" + option);
                    } else if (!commands.knows(stage, "--" + option)) {
                        // Let the command refuse it.
                        words.add("--" + option);
                    }
                }
                case List<?> items ->
                    items.forEach(item -> {
                        words.add("--" + option);
                        words.add(text(item));
                    });
                default -> {
                    words.add("--" + option);
                    words.add(text(value));
                }
            }
        });
        return words;
    }

    /** A value as a person types it: 10 rather than 10.0, 0.00001 rather than 1.0E-5. */
    static String text(Object value) {
        return switch (value) {
            case Double number
            when Double.isFinite(number) ->
                new BigDecimal(number.toString()).stripTrailingZeros().toPlainString();
            case List<?> items -> items.stream().map(OptionValues::text).collect(Collectors.joining("+"));
            default -> value.toString();
        };
    }
}
