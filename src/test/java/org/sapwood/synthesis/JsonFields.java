package org.sapwood.synthesis;

import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Fields of a JSON object that a test expects to be there. */
final class JsonFields {
    private JsonFields() {}

    static Map<?, ?> map(Map<?, ?> json, String name) {
        return (Map<?, ?>) Objects.requireNonNull(json.get(name), name);
    }

    static List<?> list(Map<?, ?> json, String name) {
        return (List<?>) Objects.requireNonNull(json.get(name), name);
    }

    static long integer(Map<?, ?> json, String name) {
        return ((Number) Objects.requireNonNull(json.get(name), name)).longValue();
    }
}
