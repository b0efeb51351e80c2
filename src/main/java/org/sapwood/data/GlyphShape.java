package org.sapwood.data;

import java.util.List;

/**
 * How a character is written: the ways people write it, each a list of strokes.
 *
 * @param name name of the class
 * @param variants at least one way
 */
record GlyphShape(String name, List<List<Stroke>> variants) {
    GlyphShape {
        variants = variants.stream().map(List::copyOf).toList();
    }

    /**
     * A movement of the pen: a Catmull–Rom spline through its points; a point given twice in a row makes a corner.
     * Coordinates run from 0 to 100, x to the right, y downwards. Strokes that share a point stay joined under all
     * variation.
     *
     * @param x abscissae of the points
     * @param y ordinates, as many
     */
    @SuppressWarnings("ArrayRecordComponent") // constants of the alphabet, never compared
    record Stroke(double[] x, double[] y) {
        int points() {
            return x.length;
        }
    }

    static GlyphShape glyph(String name, List<Stroke> only) {
        return new GlyphShape(name, List.of(only));
    }

    @SafeVarargs
    static GlyphShape glyph(String name, List<Stroke>... variants) {
        return new GlyphShape(name, List.of(variants));
    }

    static List<Stroke> strokes(Stroke... strokes) {
        return List.of(strokes);
    }

    /** A smooth stroke through points given as x, y, x, y, … */
    static Stroke curve(double... xy) {
        double[] x = new double[xy.length / 2];
        double[] y = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            x[i] = xy[2 * i];
            y[i] = xy[2 * i + 1];
        }
        return new Stroke(x, y);
    }

    /** A stroke with a corner at every point. */
    static Stroke line(double... xy) {
        double[] twice = new double[2 * xy.length];
        for (int i = 0; i < xy.length / 2; i++) {
            for (int copy = 0; copy < 2; copy++) {
                twice[4 * i + 2 * copy] = xy[2 * i];
                twice[4 * i + 2 * copy + 1] = xy[2 * i + 1];
            }
        }
        return curve(twice);
    }

    /** An upright ellipse drawn from its top anticlockwise and back. */
    static Stroke ellipse(double centreX, double centreY, double radiusX, double radiusY) {
        int corners = 8;
        double[] xy = new double[2 * (corners + 1)];
        for (int i = 0; i <= corners; i++) {
            double angle = 2 * Math.PI * i / corners;
            xy[2 * i] = centreX - radiusX * StrictMath.sin(angle);
            xy[2 * i + 1] = centreY - radiusY * StrictMath.cos(angle);
        }
        return curve(xy);
    }
}
