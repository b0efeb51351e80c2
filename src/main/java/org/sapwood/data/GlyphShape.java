package org.sapwood.data;

import java.util.List;

/**
 * How a character is written: the ways people write it, each some strokes.
 *
 * @param name name of the class
 * @param variants at least one way of writing it
 */
record GlyphShape(String name, List<Strokes> variants) {
    GlyphShape {
        variants = List.copyOf(variants);
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

    /** One way of writing. */
    record Strokes(List<Stroke> inOrder) {
        Strokes {
            inOrder = List.copyOf(inOrder);
        }
    }

    static GlyphShape glyph(String name, Strokes... variants) {
        return new GlyphShape(name, List.of(variants));
    }

    static Strokes strokes(Stroke... strokes) {
        return new Strokes(List.of(strokes));
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

    /** An upright ellipse drawn from its top anticlockwise and on past the top, so that it closes without a corner. */
    static Stroke ellipse(double centreX, double centreY, double radiusX, double radiusY) {
        int corners = 7;
        double[] xy = new double[2 * (corners + 2)];
        for (int i = 0; i < corners + 2; i++) {
            double angle = 2 * Math.PI * (i % corners) / corners;
            xy[2 * i] = centreX - radiusX * StrictMath.sin(angle);
            xy[2 * i + 1] = centreY - radiusY * StrictMath.cos(angle);
        }
        return curve(xy);
    }
}
