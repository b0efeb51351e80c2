package org.sapwood.evaluation;

import java.util.List;

/**
 * What an evaluation does.
 *
 * @param training how the downstream classifiers are trained
 * @param seeds one downstream classifier each, at least one
 * @param reference whether to train the same classifiers on the real training images too, which doubles the time
 */
public record EvaluationOptions(ClassifierTrainingOptions training, List<Long> seeds, boolean reference) {
    /** Copies the seeds. */
    public EvaluationOptions {
        seeds = List.copyOf(seeds);
        if (seeds.isEmpty()) {
            throw new IllegalArgumentException("an evaluation needs at least one seed");
        }
    }

    /** Three seeds, the standard training, with the reference. */
    public static EvaluationOptions standard() {
        return new EvaluationOptions(ClassifierTrainingOptions.standard(), List.of(1L, 2L, 3L), true);
    }
}
