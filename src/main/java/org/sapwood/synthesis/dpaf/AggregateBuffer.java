package org.sapwood.synthesis.dpaf;

import java.util.ArrayList;
import java.util.List;
import org.apache.commons.rng.UniformRandomProvider;

/**
 * The noised aggregates of the present conv2, which may be used any number of times. Earlier ones are of other features
 * and are dropped when conv2 changes.
 */
final class AggregateBuffer {
    private final List<NoisedAggregates> aggregates = new ArrayList<>();

    /**
     * A mean over some of the aggregates.
     *
     * @param values [p², m]
     * @param noise standard deviation of the noise left in it
     */
    record Mean(float[] values, double noise) {}

    void add(NoisedAggregates fresh) {
        aggregates.add(fresh);
    }

    boolean isEmpty() {
        return aggregates.isEmpty();
    }

    void clear() {
        aggregates.clear();
    }

    List<NoisedAggregates> all() {
        return List.copyOf(aggregates);
    }

    NoisedAggregates latest() {
        return aggregates.getLast();
    }

    /** The mean over everything there is: the best estimate of a class's features. */
    Mean mean(int label) {
        return mean(label, aggregates);
    }

    /**
     * The mean over a random number of different aggregates, from one to all of them: the upper discriminator sees a
     * class with little noise and with much, and hardly ever the same twice.
     */
    Mean draw(int label, UniformRandomProvider rng) {
        List<NoisedAggregates> shuffled = new ArrayList<>(aggregates);
        int count = 1 + rng.nextInt(shuffled.size());
        for (int i = 0; i < count; i++) {
            int j = i + rng.nextInt(shuffled.size() - i);
            NoisedAggregates chosen = shuffled.get(j);
            shuffled.set(j, shuffled.get(i));
            shuffled.set(i, chosen);
        }
        return mean(label, shuffled.subList(0, count));
    }

    private static Mean mean(int label, List<NoisedAggregates> some) {
        float[] mean = some.getFirst().ofClass(label);
        double variance = some.getFirst().noise() * some.getFirst().noise();
        for (NoisedAggregates other : some.subList(1, some.size())) {
            float[] values = other.ofClass(label);
            for (int i = 0; i < mean.length; i++) {
                mean[i] += values[i];
            }
            variance += other.noise() * other.noise();
        }
        for (int i = 0; i < mean.length; i++) {
            mean[i] /= some.size();
        }
        return new Mean(mean, Math.sqrt(variance) / some.size());
    }
}
