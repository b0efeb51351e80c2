package org.sapwood.evaluation;

import java.util.LinkedHashSet;
import java.util.List;
import org.sapwood.nn.ClassifierArchitecture;

/**
 * What an evaluation does.
 *
 * @param training how the downstream classifiers are trained
 * @param architectures of the downstream classifiers, at least one, none twice
 * @param seeds one downstream classifier of each architecture each, at least one
 * @param reference whether to train the same classifiers on the real training images too, which doubles the time
 */
public record EvaluationOptions(
        ClassifierTrainingOptions training,
        List<ClassifierArchitecture> architectures,
        List<Long> seeds,
        boolean reference) {
    /** Copies the lists. */
    public EvaluationOptions {
        architectures = List.copyOf(architectures);
        if (architectures.isEmpty() || new LinkedHashSet<>(architectures).size() < architectures.size()) {
            throw new IllegalArgumentException("an evaluation needs at least one architecture and none twice, got "
                    + architectures.stream().map(ClassifierArchitecture::id).toList());
        }
        seeds = List.copyOf(seeds);
        if (seeds.isEmpty()) {
            throw new IllegalArgumentException("an evaluation needs at least one seed");
        }
    }

    /** With the small convolutional network alone. */
    public EvaluationOptions(ClassifierTrainingOptions training, List<Long> seeds, boolean reference) {
        this(training, List.of(ClassifierArchitecture.CNN), seeds, reference);
    }
}
