package org.sapwood.evaluation;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Everything measured about one synthetic set. All of it compares with real images, so none of it is covered by the
 * privacy guarantee of the run, and {@link #toJson} says so first.
 *
 * @param syntheticImages number of synthetic images
 * @param downstream of classifiers trained on synthetic images only
 * @param nonPrivateReference of the same classifiers trained on the real training images: an upper bound that protects
 *     nobody; absent if it was not asked for
 * @param fidelity absent if there was no feature model
 */
public record EvaluationReport(
        int syntheticImages,
        DownstreamAccuracy downstream,
        Optional<DownstreamAccuracy> nonPrivateReference,
        Optional<Fidelity> fidelity) {
    /** The warning that stands in every report. */
    public static final String NOTICE = "These numbers were measured against real images and are not covered by the"
            + " privacy guarantee; do not release them unless those images are public or their owners agreed.";

    /** For {@code metrics.json}; always in the same order. */
    public Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("notice", NOTICE);
        json.put("covered_by_privacy_guarantee", false);
        json.put("synthetic_images", syntheticImages);
        json.put("downstream_accuracy", downstream.toJson());
        nonPrivateReference.ifPresent(r -> json.put("non_private_reference_accuracy", r.toJson()));
        fidelity.ifPresent(f -> json.put("fidelity", f.toJson()));
        return json;
    }
}
