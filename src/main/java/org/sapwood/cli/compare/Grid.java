package org.sapwood.cli.compare;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.sapwood.io.UserException;

/**
 * Options and the values that each of them takes; every combination is a cell.
 *
 * @param axes in the order of the spec; the values of the last one change fastest
 */
record Grid(SequencedMap<Axis, List<Object>> axes) {
    static final Grid EMPTY = new Grid(new LinkedHashMap<>());

    /** Reads the section, null for no grid. */
    static Grid read(@Nullable Object json, String where) {
        if (json == null) {
            return EMPTY;
        }
        if (!(json instanceof Map<?, ?> map)) {
            throw new UserException(where + " must be an object of options with lists of values, got " + json);
        }
        SequencedMap<Axis, List<Object>> axes = new LinkedHashMap<>();
        map.forEach((key, value) -> {
            String name = String.valueOf(key);
            Axis axis = Axis.parse(name, where);
            if (axes.put(axis, values(value, where + "." + name)) != null) {
                throw new UserException(where + " varies " + axis.text() + " twice");
            }
        });
        return new Grid(axes);
    }

    private static List<Object> values(@Nullable Object json, String where) {
        if (!(json instanceof List<?> items) || items.isEmpty()) {
            throw new UserException(where + " must be a list of values, as [1, 10], got " + json);
        }
        Set<String> seen = new HashSet<>();
        List<Object> values = new ArrayList<>();
        for (Object item : items) {
            OptionValues.requireValue(item, where);
            if (item == null) {
                throw new UserException(where + " must be a list of values, got null among them");
            }
            if (!seen.add(OptionValues.text(item))) {
                throw new UserException(where + " names " + OptionValues.text(item) + " twice");
            }
            values.add(item);
        }
        return values;
    }

    /** All combinations, one empty one for an empty grid. */
    List<SequencedMap<Axis, Object>> points() {
        List<SequencedMap<Axis, Object>> points = new ArrayList<>(List.of(new LinkedHashMap<>()));
        axes.forEach((axis, values) -> {
            List<SequencedMap<Axis, Object>> wider = new ArrayList<>();
            for (SequencedMap<Axis, Object> point : points) {
                for (Object value : values) {
                    SequencedMap<Axis, Object> next = new LinkedHashMap<>(point);
                    next.put(axis, value);
                    wider.add(next);
                }
            }
            points.clear();
            points.addAll(wider);
        });
        return points;
    }
}
