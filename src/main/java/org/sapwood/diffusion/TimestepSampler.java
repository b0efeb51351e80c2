package org.sapwood.diffusion;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.commons.rng.UniformRandomProvider;
import org.sapwood.io.UserException;

/**
 * The distribution of the timesteps that a model is trained on: a mixture of uniform distributions, t ~ Σ w_j·U[l_j, u_j)
 * (Ghalebikesabi et al. 2023, arXiv 2302.13861, who shift weight away from the almost noiseless and the almost imageless
 * timesteps). Immutable and safe to share between threads.
 */
public final class TimestepSampler {
    private static final Pattern RANGE = Pattern.compile("([0-9.eE+-]+):(\\d{1,9})-(\\d{1,9})");
    private static final double WEIGHT_SUM_TOLERANCE = 1e-6;

    private final List<Range> ranges;

    /** Timesteps in [from, to), drawn with probability {@code weight}. */
    private record Range(double weight, int from, int to) {
        @Override
        public String toString() {
            return weight + ":" + from + "-" + to;
        }
    }

    private TimestepSampler(List<Range> ranges) {
        this.ranges = List.copyOf(ranges);
    }

    /**
     * Every timestep in [0, steps) equally often, as in ordinary training.
     *
     * @param steps of the noise schedule, ≥ 1
     */
    public static TimestepSampler uniform(int steps) {
        if (steps < 1) {
            throw new IllegalArgumentException("timesteps need a schedule of >= 1 steps, got " + steps);
        }
        return new TimestepSampler(List.of(new Range(1, 0, steps)));
    }

    /**
     * Reads {@code uniform} or a mixture such as {@code 0.015:0-30,0.785:30-600,0.2:600-1000}: comma-separated
     * {@code weight:from-to}, with {@code to} exclusive. Ranges may overlap.
     *
     * @param steps of the noise schedule; no range may reach beyond
     * @throws UserException if the text does not follow this form, a range is empty or too far, a weight is not
     *     positive, or the weights do not sum to 1
     */
    public static TimestepSampler parse(String text, int steps) {
        if (text.equals("uniform")) {
            return uniform(steps);
        }
        List<Range> ranges = new ArrayList<>();
        for (String part : text.split(",", -1)) {
            ranges.add(range(text, part.strip(), steps));
        }
        double sum = ranges.stream().mapToDouble(Range::weight).sum();
        if (Math.abs(sum - 1) > WEIGHT_SUM_TOLERANCE) {
            throw invalid(text, "the weights must sum to 1, they sum to " + sum);
        }
        return new TimestepSampler(ranges);
    }

    private static Range range(String text, String part, int steps) {
        Matcher matcher = RANGE.matcher(part);
        if (!matcher.matches()) {
            throw invalid(text, "'" + part + "' is not weight:from-to, for example 0.2:600-1000");
        }
        double weight;
        try {
            weight = Double.parseDouble(matcher.group(1));
        } catch (NumberFormatException e) {
            throw invalid(text, "'" + matcher.group(1) + "' is not a number");
        }
        int from = Integer.parseInt(matcher.group(2));
        int to = Integer.parseInt(matcher.group(3));
        if (!(weight > 0 && weight <= 1)) {
            throw invalid(text, "a weight must be in (0, 1], got " + weight);
        }
        if (from >= to || to > steps) {
            throw invalid(text, "a range must hold 0 <= from < to <= " + steps + ", got " + from + "-" + to);
        }
        return new Range(weight, from, to);
    }

    private static UserException invalid(String text, String reason) {
        return new UserException("timestep distribution '" + text + "': " + reason);
    }

    /** A timestep. */
    public int sample(UniformRandomProvider rng) {
        double u = rng.nextDouble();
        int j = 0;
        while (j < ranges.size() - 1 && u >= ranges.get(j).weight()) {
            u -= ranges.get(j).weight();
            j++;
        }
        Range range = ranges.get(j);
        return rng.nextInt(range.from(), range.to());
    }

    /** The text that {@link #parse} reads. */
    @Override
    public String toString() {
        return ranges.stream().map(Range::toString).collect(Collectors.joining(","));
    }
}
