package org.sapwood.privacy.ledger;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.sapwood.io.Json;
import org.sapwood.io.UserException;
import org.sapwood.privacy.accounting.Accountant;
import org.sapwood.privacy.accounting.Adjacency;
import org.sapwood.privacy.accounting.PrivacyEvent;

/**
 * The content of {@code privacy.json}.
 *
 * @param events the planned events, with distinct names
 * @param spent by event, an upper bound on the steps spent
 * @param recorded by event, the steps known to be spent when the document was written; the journal counts on from it
 * @param delta δ
 * @param randomness {@code "secure"} or {@code "seeded, not private"}
 */
@SuppressWarnings("ArrayRecordComponent") // a private carrier between the ledger and its file
record LedgerDocument(List<PrivacyEvent> events, int[] spent, int[] recorded, double delta, String randomness) {

    private static final int FORMAT = 1;

    /** The two bounds on ε. */
    record Epsilon(double pld, double rdp) {}

    LedgerDocument {
        events = List.copyOf(events);
        Accountant.requireDelta(delta);
        Set<String> names = new HashSet<>();
        for (PrivacyEvent event : events) {
            if (!names.add(event.name())) {
                throw new IllegalArgumentException("event names must be distinct, got '" + event.name() + "' twice");
            }
        }
    }

    static LedgerDocument unspent(List<PrivacyEvent> events, double delta, String randomness) {
        return new LedgerDocument(events, new int[events.size()], new int[events.size()], delta, randomness);
    }

    String toJson(Epsilon planned, Epsilon spentSoFar) {
        List<Map<String, Object>> list = new ArrayList<>();
        for (int i = 0; i < events.size(); i++) {
            PrivacyEvent event = events.get(i);
            list.add(Map.of(
                    "name", event.name(),
                    "q", event.samplingRate(),
                    "sigma", event.noiseMultiplier(),
                    "sensitivity", event.sensitivity(),
                    "steps", event.steps(),
                    "steps_spent", spent[i],
                    "steps_recorded", recorded[i]));
        }
        return Json.pretty(Map.of(
                "format", FORMAT,
                "adjacency", Adjacency.ADD_REMOVE.name(),
                "randomness", randomness,
                "delta", delta,
                "epsilon", Map.of("pld", planned.pld(), "rdp", planned.rdp()),
                "epsilon_spent", Map.of("pld", spentSoFar.pld(), "rdp", spentSoFar.rdp()),
                "events", list));
    }

    /**
     * Reads and checks a document.
     *
     * @throws UserException naming the file and the field that is wrong
     */
    static LedgerDocument read(Path file) {
        Map<String, Object> root = Json.readObject(file);
        if (integer(root, "format", file + ": ") != FORMAT) {
            throw new UserException(file + ": format must be " + FORMAT + ", got " + root.get("format"));
        }
        if (!Adjacency.ADD_REMOVE.name().equals(root.get("adjacency"))) {
            throw new UserException(
                    file + ": adjacency must be " + Adjacency.ADD_REMOVE + ", got " + root.get("adjacency"));
        }
        if (!(root.get("randomness") instanceof String randomness)) {
            throw new UserException(file + ": randomness must be a text, got " + root.get("randomness"));
        }
        if (!(root.get("events") instanceof List<?> list)) {
            throw new UserException(file + ": events must be a list, got " + root.get("events"));
        }
        List<PrivacyEvent> events = new ArrayList<>();
        int[] spent = new int[list.size()];
        int[] recorded = new int[list.size()];
        for (int i = 0; i < spent.length; i++) {
            String where = file + ": events[" + i + "].";
            if (!(list.get(i) instanceof Map<?, ?> map) || !(map.get("name") instanceof String name)) {
                throw new UserException(where + "name must be a text, got " + list.get(i));
            }
            events.add(event(map, name, where));
            recorded[i] = boundedInteger(
                    map, "steps_recorded", where, 0, events.get(i).steps());
            spent[i] = boundedInteger(
                    map, "steps_spent", where, recorded[i], events.get(i).steps());
        }
        try {
            return new LedgerDocument(
                    events, spent, recorded, Json.number(root.get("delta"), file + ": delta"), randomness);
        } catch (IllegalArgumentException e) {
            throw new UserException(file + ": " + e.getMessage(), e);
        }
    }

    private static PrivacyEvent event(Map<?, ?> map, String name, String where) {
        double q = Json.number(map.get("q"), where + "q");
        double sigma = Json.number(map.get("sigma"), where + "sigma");
        double sensitivity = Json.number(map.get("sensitivity"), where + "sensitivity");
        int steps = boundedInteger(map, "steps", where, 0, Integer.MAX_VALUE);
        try {
            return new PrivacyEvent(name, q, sigma, sensitivity, steps);
        } catch (IllegalArgumentException e) {
            throw new UserException(where.substring(0, where.length() - 1) + ": " + e.getMessage(), e);
        }
    }

    private static int boundedInteger(Map<?, ?> map, String field, String where, int least, int most) {
        long value = integer(map, field, where);
        if (value < least || value > most) {
            throw new UserException(where + field + " must be from " + least + " to " + most + ", got " + value);
        }
        return (int) value;
    }

    private static long integer(Map<?, ?> map, String field, String where) {
        @Nullable Object value = map.get(field);
        if (value instanceof Integer || value instanceof Long) {
            return ((Number) value).longValue();
        }
        throw new UserException(where + field + " must be a whole number, got " + value);
    }
}
