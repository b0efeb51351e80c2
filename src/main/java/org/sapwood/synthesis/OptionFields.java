package org.sapwood.synthesis;

import java.util.Arrays;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.sapwood.io.Json;
import org.sapwood.io.UserException;

/** Typed reads of the options in {@code run.json} that name the field at fault. */
public record OptionFields(Map<String, Object> json) {
    /** Stands for an option that is worked out by the run. */
    public static final String AUTO = "auto";

    private Object get(String name) {
        Object value = json.get(name);
        if (value == null) {
            throw new UserException("run.json: option " + name + " is missing; was this run made by another version?");
        }
        return value;
    }

    public String text(String name) {
        return get(name).toString();
    }

    public double number(String name) {
        return Json.number(get(name), "run.json: option " + name);
    }

    public int integer(String name) {
        return asNumber(name).intValue();
    }

    public long longInteger(String name) {
        return asNumber(name).longValue();
    }

    private Number asNumber(String name) {
        if (get(name) instanceof Number n) {
            return n;
        }
        throw new UserException("run.json: option " + name + " must be a number, got " + get(name));
    }

    public OptionalDouble optionalNumber(String name) {
        return get(name).equals(AUTO) ? OptionalDouble.empty() : OptionalDouble.of(number(name));
    }

    public OptionalInt optionalInt(String name) {
        return get(name).equals(AUTO) ? OptionalInt.empty() : OptionalInt.of(integer(name));
    }

    public OptionalLong optionalInteger(String name) {
        return get(name).equals(AUTO) ? OptionalLong.empty() : OptionalLong.of(longInteger(name));
    }

    public boolean flag(String name) {
        return Boolean.TRUE.equals(get(name));
    }

    public Map<?, ?> map(String name) {
        if (get(name) instanceof Map<?, ?> map) {
            return map;
        }
        throw new UserException("run.json: option " + name + " must be an object, got " + get(name));
    }

    public <E extends Enum<E>> E constant(String name, Class<E> type) {
        try {
            return Enum.valueOf(type, text(name));
        } catch (IllegalArgumentException e) {
            throw new UserException(
                    "run.json: option " + name + " must be one of " + Arrays.toString(type.getEnumConstants())
                            + ", got " + text(name),
                    e);
        }
    }
}
