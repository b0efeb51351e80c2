package org.sapwood.data;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;
import org.sapwood.data.GlyphShape.Stroke;
import org.sapwood.data.GlyphShape.Strokes;

/**
 * Writes one character as one hand would on one occasion: it picks a way of writing it, misplaces the points a little,
 * bends the plane smoothly (elastic variation), slants, turns and scales it, and draws it with a pen of its own width,
 * softness and pressure.
 */
final class Handwriting {
    private static final int STEPS_PER_SPAN = 8;
    private static final int WAVES = 3;

    // Standard deviations, in units of the character's height unless said otherwise.
    private static final double POINT_JITTER = 0.018;
    private static final double WAVE_AMPLITUDE = 0.040;
    private static final double SLANT = 0.17;
    private static final double TURN_RADIANS = 0.13;
    private static final double STRETCH = 0.12;
    private static final double SHIFT_PIXELS = 0.8;

    /** Most the pen's radius changes along a stroke, as a share of it. */
    private static final double MAX_PRESSURE = 0.25;

    /** Widest half-edge of a stroke, in pixels. */
    private static final double MAX_SOFTNESS = 0.85;

    private final UniformRandomProvider random;
    private final ZigguratSampler.NormalizedGaussian gaussian;

    /** A point of the trace in pixels with the pen's radius there. */
    private record Dot(double x, double y, double radius) {}

    /** A displacement of the plane, {@code amount · sin(frequency · p + phase)}. */
    private record Wave(double frequencyX, double frequencyY, double phase, double amountX, double amountY) {}

    Handwriting(UniformRandomProvider random) {
        this.random = random;
        this.gaussian = ZigguratSampler.NormalizedGaussian.of(random);
    }

    /** Draws the character into [size, size] bytes, 0 for the ground and up to 255 for ink. */
    byte[] write(GlyphShape shape, int size) {
        Strokes way = shape.variants().get(random.nextInt(shape.variants().size()));
        List<double[][]> traces = traces(way.inOrder());
        double radius = Math.clamp(1.25 * StrictMath.exp(0.24 * gaussian.sample()), 0.7, 2.0);
        toPixels(traces, size, radius);
        return draw(inked(traces, radius), size);
    }

    /** The strokes as dense point rows {xs, ys}, around the origin, with a height of about 1. */
    private List<double[][]> traces(List<Stroke> strokes) {
        List<Wave> waves = new ArrayList<>();
        for (int i = 0; i < WAVES; i++) {
            waves.add(new Wave(
                    random.nextDouble(-6, 6),
                    random.nextDouble(-6, 6),
                    random.nextDouble(0, 2 * Math.PI),
                    WAVE_AMPLITUDE * gaussian.sample(),
                    WAVE_AMPLITUDE * gaussian.sample()));
        }
        // Equal points move together, so that strokes that meet still do.
        Map<List<Double>, double[]> moved = new HashMap<>();
        List<double[][]> traces = new ArrayList<>();
        for (Stroke stroke : strokes) {
            double[] x = new double[stroke.points()];
            double[] y = new double[stroke.points()];
            for (int i = 0; i < x.length; i++) {
                double[] point = moved.computeIfAbsent(List.of(stroke.x()[i], stroke.y()[i]), at -> new double[] {
                    at.getFirst() / 100 - 0.5 + POINT_JITTER * gaussian.sample(),
                    at.getLast() / 100 - 0.5 + POINT_JITTER * gaussian.sample()
                });
                x[i] = point[0];
                y[i] = point[1];
            }
            double[][] trace = {spline(x), spline(y)};
            bend(trace, waves);
            traces.add(trace);
        }
        return traces;
    }

    private static void bend(double[][] trace, List<Wave> waves) {
        for (int i = 0; i < trace[0].length; i++) {
            double x = trace[0][i];
            double y = trace[1][i];
            for (Wave wave : waves) {
                double phase = wave.frequencyX() * x + wave.frequencyY() * y + wave.phase();
                trace[0][i] += wave.amountX() * StrictMath.sin(phase);
                trace[1][i] += wave.amountY() * StrictMath.sin(phase);
            }
        }
    }

    /** One coordinate of the uniform Catmull–Rom spline through the points, end points repeated. */
    private static double[] spline(double[] points) {
        int last = points.length - 1;
        double[] out = new double[last * STEPS_PER_SPAN + 1];
        for (int i = 0; i < out.length; i++) {
            int span = Math.min(i / STEPS_PER_SPAN, last - 1);
            double t = (double) i / STEPS_PER_SPAN - span;
            double before = points[Math.max(0, span - 1)];
            double from = points[span];
            double to = points[span + 1];
            double after = points[Math.min(last, span + 2)];
            out[i] = from
                    + 0.5
                            * t
                            * (to
                                    - before
                                    + t
                                            * (2 * before
                                                    - 5 * from
                                                    + 4 * to
                                                    - after
                                                    + t * (3 * (from - to) + after - before)));
        }
        return out;
    }

    /** Slants, turns, stretches, and centres the drawing with some error; keeps all ink off the outermost pixels. */
    private void toPixels(List<double[][]> traces, int size, double radius) {
        double slant = SLANT * gaussian.sample() - 0.08;
        double turn = TURN_RADIANS * gaussian.sample();
        double cos = StrictMath.cos(turn);
        double sin = StrictMath.sin(turn);
        double wide = 0.86 * StrictMath.exp(STRETCH * gaussian.sample());
        double[] low = {Double.MAX_VALUE, Double.MAX_VALUE};
        double[] high = {-Double.MAX_VALUE, -Double.MAX_VALUE};
        for (double[][] trace : traces) {
            for (int i = 0; i < trace[0].length; i++) {
                double x = wide * (trace[0][i] - slant * trace[1][i]);
                double y = trace[1][i];
                double[] point = {cos * x - sin * y, sin * x + cos * y};
                for (int axis = 0; axis < 2; axis++) {
                    trace[axis][i] = point[axis];
                    low[axis] = Math.min(low[axis], point[axis]);
                    high[axis] = Math.max(high[axis], point[axis]);
                }
            }
        }
        double extent = Math.max(high[0] - low[0], high[1] - low[1]);
        double reach = radius * (1 + MAX_PRESSURE) + MAX_SOFTNESS;
        double scale = Math.min(size * random.nextDouble(0.58, 0.72), size - 2 - 2 * reach) / extent;
        for (int axis = 0; axis < 2; axis++) {
            double room = (size - 2 - scale * (high[axis] - low[axis])) / 2 - reach;
            double limit = Math.clamp(room, 0, 0.07 * size);
            double shift = Math.clamp(SHIFT_PIXELS * gaussian.sample(), -limit, limit);
            double centre = size / 2.0 + shift;
            for (double[][] trace : traces) {
                for (int i = 0; i < trace[axis].length; i++) {
                    trace[axis][i] = centre + scale * (trace[axis][i] - (low[axis] + high[axis]) / 2);
                }
            }
        }
    }

    /** Gives every point the pen's width there: one pen for all strokes, pressed harder here and lighter there. */
    private List<List<Dot>> inked(List<double[][]> traces, double radius) {
        List<List<Dot>> lines = new ArrayList<>();
        for (double[][] trace : traces) {
            double phase = random.nextDouble(0, 2 * Math.PI);
            double turns = random.nextDouble(1, 6);
            double depth = random.nextDouble(0, MAX_PRESSURE);
            List<Dot> line = new ArrayList<>();
            int points = trace[0].length;
            for (int i = 0; i < points; i++) {
                double pressure = 1 + depth * StrictMath.sin(phase + turns * i / points);
                line.add(new Dot(trace[0][i], trace[1][i], radius * pressure));
            }
            lines.add(line);
        }
        return lines;
    }

    /** Ink falls off from full to none over the pen's softness around the edge of the stroke. */
    private byte[] draw(List<List<Dot>> lines, int size) {
        double softness = random.nextDouble(0.45, MAX_SOFTNESS);
        double ink = random.nextDouble(215, 290);
        double[] depth = new double[size * size];
        for (List<Dot> line : lines) {
            for (int i = 1; i < line.size(); i++) {
                coat(depth, size, line.get(i - 1), line.get(i), softness);
            }
        }
        byte[] image = new byte[depth.length];
        for (int i = 0; i < image.length; i++) {
            image[i] = (byte) Math.round(Math.min(255, ink * depth[i]));
        }
        return image;
    }

    private static void coat(double[] depth, int size, Dot from, Dot to, double softness) {
        double reach = Math.max(from.radius(), to.radius()) + softness;
        int left = (int) Math.max(0, Math.floor(Math.min(from.x(), to.x()) - reach - 0.5));
        int right = (int) Math.min(size - 1.0, Math.ceil(Math.max(from.x(), to.x()) + reach - 0.5));
        int top = (int) Math.max(0, Math.floor(Math.min(from.y(), to.y()) - reach - 0.5));
        int bottom = (int) Math.min(size - 1.0, Math.ceil(Math.max(from.y(), to.y()) + reach - 0.5));
        double dx = to.x() - from.x();
        double dy = to.y() - from.y();
        double square = dx * dx + dy * dy;
        for (int y = top; y <= bottom; y++) {
            for (int x = left; x <= right; x++) {
                double px = x + 0.5 - from.x();
                double py = y + 0.5 - from.y();
                double along = square == 0 ? 0 : Math.clamp((px * dx + py * dy) / square, 0, 1);
                double ex = px - along * dx;
                double ey = py - along * dy;
                double radius = from.radius() + along * (to.radius() - from.radius());
                double edge = (radius + softness - Math.sqrt(ex * ex + ey * ey)) / (2 * softness);
                double t = Math.clamp(edge, 0, 1);
                depth[y * size + x] = Math.max(depth[y * size + x], t * t * (3 - 2 * t));
            }
        }
    }
}
