package org.sapwood.cli.compare;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;
import org.sapwood.io.Json;

/**
 * What the files of a run folder say, as far as the run has come.
 *
 * @param method its name on the command line
 * @param guarantee what its privacy rests on
 * @param plannedEpsilon ε of everything planned, infinite without a guarantee
 * @param spentEpsilon ε of what was spent, charged ahead while a run is under way
 * @param delta δ, NaN without a guarantee
 * @param events the private queries
 * @param steps training steps planned
 * @param weights number of trained weights
 * @param accuracy of downstream classifiers, in [0, 1]
 * @param accuracyDeviation over the classifiers
 * @param accuracyByArchitecture mean by architecture, empty where the evaluation tells none apart
 * @param reference accuracy of the same classifiers trained on real images
 * @param frechet distance to the real training images
 * @param precision in [0, 1]
 * @param recall in [0, 1]
 * @param seconds of training
 * @param imagesPerSecond of training
 * @param peakMib most memory of the training process
 */
record CellResult(
        String method,
        Guarantee guarantee,
        double plannedEpsilon,
        double spentEpsilon,
        double delta,
        List<Event> events,
        OptionalDouble steps,
        OptionalDouble weights,
        OptionalDouble accuracy,
        OptionalDouble accuracyDeviation,
        SequencedMap<String, Double> accuracyByArchitecture,
        OptionalDouble reference,
        OptionalDouble frechet,
        OptionalDouble precision,
        OptionalDouble recall,
        OptionalDouble seconds,
        OptionalDouble imagesPerSecond,
        OptionalDouble peakMib) {

    /** What privacy rests on. */
    enum Guarantee {
        /** Cryptographic randomness and a ledger. */
        PRIVATE,
        /** A ledger, and randomness that anyone can repeat. */
        SEEDED,
        /** Nothing. */
        NONE
    }

    /**
     * A private query.
     *
     * @param name in the ledger
     * @param sigma its noise multiplier
     * @param steps how often it is made
     */
    record Event(String name, double sigma, int steps) {
        /** What every gradient step of every method is called in the ledger. */
        static final String TRAINING = "training";

        /** The query that selects matrices. */
        static final String SELECTION = "selection";
    }

    /** Reads a run folder, empty if no run was begun there. */
    static Optional<CellResult> read(Path run) {
        if (!Files.exists(run.resolve("run.json"))) {
            return Optional.empty();
        }
        Map<?, ?> options = object(Json.readObject(run.resolve("run.json")), "options");
        Map<?, ?> ledger = optional(run.resolve("privacy.json"));
        Map<?, ?> metrics = optional(run.resolve("metrics.json"));
        Map<?, ?> training = object(metrics, "training");
        Map<?, ?> evaluation = object(metrics, "evaluation");
        Map<?, ?> accuracy = object(evaluation, "downstream_accuracy");
        Map<?, ?> fidelity = object(evaluation, "fidelity");
        List<Event> events = events(ledger.get("events"));
        return Optional.of(new CellResult(
                String.valueOf(options.get("method")).toLowerCase(Locale.ROOT).replace('_', '-'),
                guarantee(ledger),
                epsilon(ledger, "epsilon"),
                epsilon(ledger, "epsilon_spent"),
                number(ledger, "delta").orElse(Double.NaN),
                events,
                steps(events, options),
                number(training, "trained_weights"),
                number(accuracy, "mean"),
                number(accuracy, "standard_deviation"),
                byArchitecture(object(accuracy, "architectures")),
                number(object(evaluation, "non_private_reference_accuracy"), "mean"),
                number(fidelity, "frechet_distance"),
                number(fidelity, "precision"),
                number(fidelity, "recall"),
                number(training, "seconds"),
                number(training, "images_per_second"),
                number(training, "peak_rss_mib")));
    }

    /** A run without a ledger has no guarantee, and neither has one whose ledger does not say that it is secure. */
    private static Guarantee guarantee(Map<?, ?> ledger) {
        if (!(ledger.get("randomness") instanceof String randomness)) {
            return Guarantee.NONE;
        }
        return randomness.equals("secure") ? Guarantee.PRIVATE : Guarantee.SEEDED;
    }

    private static double epsilon(Map<?, ?> ledger, String field) {
        return number(object(ledger, field), "pld").orElse(Double.POSITIVE_INFINITY);
    }

    private static OptionalDouble steps(List<Event> events, Map<?, ?> options) {
        OptionalDouble ofEvents = events.stream()
                .filter(event -> !event.name.equals(Event.SELECTION))
                .mapToDouble(Event::steps)
                .max();
        return ofEvents.isPresent() ? ofEvents : number(options, "steps");
    }

    private static List<Event> events(@Nullable Object json) {
        List<Event> events = new ArrayList<>();
        if (json instanceof List<?> items) {
            for (Object item : items) {
                Map<?, ?> event = item instanceof Map<?, ?> map ? map : Map.of();
                events.add(new Event(
                        String.valueOf(event.get("name")),
                        number(event, "sigma").orElse(Double.NaN),
                        (int) number(event, "steps").orElse(0)));
            }
        }
        return List.copyOf(events);
    }

    private static SequencedMap<String, Double> byArchitecture(Map<?, ?> json) {
        SequencedMap<String, Double> means = new LinkedHashMap<>();
        json.forEach((name, part) -> {
            if (part instanceof Map<?, ?> map) {
                number(map, "mean").ifPresent(mean -> means.put(String.valueOf(name), mean));
            }
        });
        return means;
    }

    private static Map<?, ?> optional(Path file) {
        return Files.exists(file) ? Json.readObject(file) : Map.of();
    }

    private static Map<?, ?> object(Map<?, ?> json, String field) {
        return json.get(field) instanceof Map<?, ?> map ? map : Map.of();
    }

    private static OptionalDouble number(Map<?, ?> json, String field) {
        Object value = json.get(field);
        return value == null ? OptionalDouble.empty() : OptionalDouble.of(Json.number(value, field));
    }
}
