package org.sapwood.nn;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.sapwood.io.UserException;

/**
 * Typed reads of a model configuration that name the option at fault.
 *
 * @param kind of model, as messages call it, such as {@code model} or {@code autoencoder}
 * @param json the options by name
 */
record ConfigOptions(String kind, Map<String, Object> json) {
    boolean has(String name) {
        return json.get(name) != null;
    }

    /** Whether the option stands there with the value null. */
    boolean isNull(String name) {
        return json.containsKey(name) && json.get(name) == null;
    }

    int integer(String name, @Nullable Integer defaultValue) {
        Object value = json.get(name);
        if (value == null) {
            if (defaultValue == null) {
                throw new UserException(kind + " configuration: option " + name + " is missing");
            }
            return defaultValue;
        }
        require(
                value instanceof Number n && n.doubleValue() == n.intValue(),
                "option " + name + " must be an integer, got " + value);
        return ((Number) value).intValue();
    }

    double number(String name, double defaultValue) {
        Object value = json.getOrDefault(name, defaultValue);
        require(value instanceof Number, "option " + name + " must be a number, got " + value);
        return ((Number) value).doubleValue();
    }

    boolean flag(String name, boolean defaultValue) {
        Object value = json.getOrDefault(name, defaultValue);
        require(value instanceof Boolean, "option " + name + " must be true or false, got " + value);
        return (Boolean) value;
    }

    private List<Object> list(String name) {
        Object value = json.get(name);
        require(value instanceof List<?>, "option " + name + " must be a list, got " + value);
        return new ArrayList<>((List<?>) value);
    }

    List<Integer> integers(String name) {
        List<Integer> values = new ArrayList<>();
        for (Object value : list(name)) {
            require(value instanceof Integer, "option " + name + " must hold integers, got " + value);
            values.add((Integer) value);
        }
        return values;
    }

    /** An option that is one integer for all levels or a list with one for each. */
    List<Integer> integerPerLevel(String name, int defaultValue, int levels) {
        return json.get(name) instanceof List<?>
                ? integers(name)
                : Collections.nCopies(levels, integer(name, defaultValue));
    }

    /** An option that is one flag for all levels or a list with one for each. */
    List<Boolean> flagPerLevel(String name, boolean defaultValue, int levels) {
        if (!(json.get(name) instanceof List<?>)) {
            return Collections.nCopies(levels, flag(name, defaultValue));
        }
        List<Boolean> values = new ArrayList<>();
        for (Object value : list(name)) {
            require(value instanceof Boolean, "option " + name + " must hold true or false, got " + value);
            values.add((Boolean) value);
        }
        return values;
    }

    /** Whether each block of a list is the attending kind, and not the plain one. */
    List<Boolean> blocks(String name, String plain, String attending) {
        List<Boolean> attention = new ArrayList<>();
        for (Object block : list(name)) {
            require(
                    block.equals(plain) || block.equals(attending),
                    name + " must hold " + plain + " or " + attending + ", got " + block);
            attention.add(block.equals(attending));
        }
        return attention;
    }

    private void require(boolean condition, String message) {
        if (!condition) {
            throw new UserException(kind + " configuration: " + message);
        }
    }
}
