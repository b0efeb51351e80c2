package org.sapwood.io;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.lang.reflect.Array;
import java.lang.reflect.RecordComponent;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * JSON for the files of a run. Output is deterministic: maps that have an order (insertion or sorted) keep it, others
 * are sorted by key, records are written by component in their declared order. JSON has no infinities and no NaN, so
 * they are written as the strings {@code "Infinity"}, {@code "-Infinity"} and {@code "NaN"}, which {@link #number} (and
 * Python's {@code float}) turn back: an infinite ε must never become a missing one.
 */
public final class Json {
    private static final JSON COMPACT =
            JSON.std.without(JSON.Feature.FLUSH_AFTER_WRITE_VALUE).with(JSON.Feature.WRITE_NULL_PROPERTIES);
    private static final JSON PRETTY = COMPACT.with(JSON.Feature.PRETTY_PRINT_OUTPUT);

    private Json() {}

    /**
     * Writes a value over several indented lines.
     *
     * @param value maps with string keys, records, collections, arrays, numbers, strings, booleans, null; enums and
     *     paths become their text
     * @return JSON that ends with a newline
     */
    public static String pretty(@Nullable Object value) {
        return text(PRETTY, value) + "\n";
    }

    /**
     * Writes a value on one line, as an entry of a {@code .jsonl} file.
     *
     * @param value as for {@link #pretty}
     * @return JSON without any newline
     */
    public static String line(@Nullable Object value) {
        return text(COMPACT, value);
    }

    /**
     * Reads a file that holds one JSON object.
     *
     * @param path the file
     * @return its fields in the order of the file
     * @throws UserException when the file cannot be read or holds something else, naming the file
     */
    public static Map<String, Object> readObject(Path path) {
        try {
            return parseObject(Files.readString(path), path.toString());
        } catch (MalformedInputException e) {
            throw new UserException(path + " is not a JSON text: it is not UTF-8", e);
        } catch (IOException e) {
            throw new UserException("cannot read " + path + ": " + IoReasons.of(e), e);
        }
    }

    /**
     * Parses one JSON object.
     *
     * @param text the JSON
     * @param source where it came from, for the message
     * @return its fields in their order
     * @throws UserException when the text is not one JSON object, naming the source
     */
    public static Map<String, Object> parseObject(String text, String source) {
        try {
            return JSON.std.mapFrom(text);
        } catch (IOException e) {
            throw new UserException(source + " does not hold a JSON object: " + firstLine(e), e);
        }
    }

    /**
     * The number a field holds, where non-finite numbers stand as strings.
     *
     * @param value the field's value as it was read
     * @param what names the field and its file in the message
     * @return the number, possibly infinite or NaN
     * @throws UserException when it is neither a number nor one of the three strings
     */
    public static double number(@Nullable Object value, String what) {
        if (value instanceof Number number) {
            return number.doubleValue();
        }
        if ("Infinity".equals(value) || "-Infinity".equals(value) || "NaN".equals(value)) {
            return Double.parseDouble((String) value);
        }
        throw new UserException(what + " must be a number, got " + value);
    }

    private static String text(JSON json, @Nullable Object value) {
        try {
            return json.asString(plain(value));
        } catch (IOException e) {
            throw new IllegalStateException("writing JSON to memory failed", e);
        }
    }

    /** Reduces a value to what the JSON writer prints in one way only. */
    private static @Nullable Object plain(@Nullable Object value) {
        return switch (value) {
            case null -> null;
            case Double number when !Double.isFinite(number) -> number.toString();
            case Float number when !Float.isFinite(number) -> number.toString();
            case Number number -> number;
            case Boolean flag -> flag;
            case CharSequence text -> text.toString();
            case Enum<?> constant -> constant.toString();
            case Path path -> path.toString();
            case Map<?, ?> map -> plainMap(map);
            case Iterable<?> items -> plainItems(items);
            case Record fields -> plainRecord(fields);
            default -> {
                if (!value.getClass().isArray()) {
                    throw new IllegalArgumentException("no JSON form for " + value.getClass());
                }
                yield plainArray(value);
            }
        };
    }

    private static Map<String, @Nullable Object> plainMap(Map<?, ?> map) {
        Map<String, @Nullable Object> out = map instanceof SequencedMap<?, ?> ? new LinkedHashMap<>() : new TreeMap<>();
        map.forEach((key, item) -> out.put(String.valueOf(key), plain(item)));
        return out;
    }

    private static List<@Nullable Object> plainItems(Iterable<?> items) {
        List<@Nullable Object> out = new ArrayList<>();
        items.forEach(item -> out.add(plain(item)));
        return out;
    }

    private static List<@Nullable Object> plainArray(Object array) {
        List<@Nullable Object> out = new ArrayList<>();
        int length = Array.getLength(array);
        for (int i = 0; i < length; i++) {
            out.add(plain(Array.get(array, i)));
        }
        return out;
    }

    private static Map<String, @Nullable Object> plainRecord(Record fields) {
        Map<String, @Nullable Object> out = new LinkedHashMap<>();
        for (RecordComponent component : fields.getClass().getRecordComponents()) {
            try {
                component.getAccessor().setAccessible(true);
                out.put(component.getName(), plain(component.getAccessor().invoke(fields)));
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException("cannot read " + component, e);
            }
        }
        return out;
    }

    private static String firstLine(IOException e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse("unreadable");
    }
}
