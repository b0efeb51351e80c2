package org.sapwood.data;

import static org.sapwood.data.GlyphShape.curve;
import static org.sapwood.data.GlyphShape.ellipse;
import static org.sapwood.data.GlyphShape.glyph;
import static org.sapwood.data.GlyphShape.line;
import static org.sapwood.data.GlyphShape.strokes;

import java.util.List;

/** The shapes of the built-in set, drawn for this project; no font was traced. */
final class GlyphAlphabets {
    /** The sensitive half: the digits. */
    static final List<GlyphShape> DIGITS = List.of(
            glyph(
                    "0",
                    strokes(ellipse(50, 50, 28, 42)),
                    strokes(curve(60, 10, 38, 12, 24, 34, 24, 62, 38, 88, 60, 88, 76, 64, 75, 34, 58, 10, 44, 14)),
                    strokes(ellipse(50, 50, 36, 42))),
            glyph(
                    "1",
                    strokes(line(50, 6, 50, 94)),
                    strokes(line(32, 26, 52, 7, 52, 94)),
                    strokes(line(34, 24, 51, 7, 51, 93), line(32, 93, 70, 93))),
            glyph(
                    "2",
                    strokes(curve(22, 28, 34, 10, 56, 7, 72, 22, 66, 46, 44, 70, 22, 92, 22, 92, 50, 91, 80, 92)),
                    strokes(curve(
                            22, 26, 38, 8, 62, 9, 73, 26, 64, 50, 44, 74, 28, 88, 19, 82, 27, 73, 42, 80, 60, 91, 82,
                            84))),
            glyph(
                    "3",
                    strokes(curve(
                            24, 18, 42, 6, 64, 11, 69, 28, 58, 44, 42, 47, 42, 47, 64, 52, 76, 70, 64, 90, 42, 95, 22,
                            84)),
                    strokes(curve(24, 9, 24, 9, 72, 9, 72, 9, 46, 42, 46, 42, 68, 50, 75, 70, 62, 90, 40, 94, 22, 84))),
            glyph(
                    "4",
                    strokes(line(36, 8, 22, 56, 80, 56), line(64, 28, 62, 95)),
                    strokes(line(60, 95, 60, 7, 18, 64, 82, 64)),
                    strokes(curve(28, 10, 24, 40, 28, 54, 48, 57, 70, 50), line(70, 10, 68, 94))),
            glyph(
                    "5",
                    strokes(
                            curve(34, 8, 34, 8, 29, 44, 29, 44, 50, 38, 70, 46, 76, 66, 66, 87, 44, 94, 22, 86),
                            line(34, 8, 76, 8)),
                    strokes(curve(76, 9, 76, 9, 36, 9, 36, 9, 28, 46, 28, 46, 52, 42, 72, 56, 70, 80, 50, 94, 24, 88))),
            glyph(
                    "6",
                    strokes(curve(66, 8, 44, 24, 29, 50, 28, 76, 44, 94, 64, 90, 72, 72, 62, 56, 44, 56, 29, 72)),
                    strokes(curve(56, 6, 36, 30, 26, 60, 32, 86, 52, 95, 70, 84, 70, 64, 52, 56, 34, 66, 29, 78))),
            glyph(
                    "7",
                    strokes(line(20, 10, 78, 10, 42, 94)),
                    strokes(curve(20, 14, 20, 14, 50, 11, 78, 10, 78, 10, 60, 44, 50, 70, 46, 95)),
                    strokes(line(20, 10, 78, 10, 40, 94), line(36, 52, 72, 50))),
            glyph(
                    "8",
                    strokes(curve(
                            66, 16, 48, 7, 30, 18, 34, 38, 54, 50, 72, 66, 70, 86, 50, 95, 30, 86, 29, 66, 48, 50, 66,
                            36, 70, 20, 56, 8)),
                    strokes(ellipse(50, 28, 20, 20), ellipse(50, 71, 25, 23))),
            glyph(
                    "9",
                    strokes(curve(70, 28, 54, 9, 32, 14, 26, 34, 40, 50, 60, 46, 71, 26, 71, 26, 69, 60, 66, 95)),
                    strokes(curve(
                            70, 30, 58, 9, 34, 12, 27, 34, 42, 50, 62, 44, 71, 24, 71, 24, 72, 56, 62, 84, 40, 94, 28,
                            88)),
                    strokes(ellipse(48, 30, 21, 22), line(69, 30, 56, 95))));

    /** The public half: capital, small and Greek letters, none of them a digit's shape. */
    static final List<GlyphShape> LETTERS = List.of(
            glyph("A", strokes(line(16, 94, 50, 6, 84, 94), line(29, 62, 71, 62))),
            glyph(
                    "B",
                    strokes(
                            line(26, 6, 26, 94),
                            curve(
                                    26, 6, 26, 6, 58, 8, 68, 26, 56, 44, 26, 48, 26, 48, 62, 52, 76, 72, 60, 92, 26, 94,
                                    26, 94))),
            glyph("C", strokes(curve(78, 22, 58, 7, 32, 16, 20, 46, 28, 80, 54, 94, 78, 80))),
            glyph("D", strokes(line(26, 6, 26, 94), curve(26, 6, 26, 6, 58, 12, 78, 44, 66, 82, 26, 94, 26, 94))),
            glyph(
                    "E",
                    strokes(line(76, 8, 26, 8, 26, 92, 78, 92), line(26, 50, 66, 50)),
                    strokes(curve(72, 14, 46, 8, 30, 26, 50, 46, 50, 46, 26, 62, 32, 88, 56, 94, 76, 84))),
            glyph("F", strokes(line(76, 8, 28, 8, 28, 94), line(28, 48, 66, 48))),
            glyph(
                    "G",
                    strokes(curve(
                            76, 20, 54, 7, 28, 20, 20, 54, 34, 88, 60, 92, 78, 76, 78, 56, 78, 56, 54, 56, 54, 56))),
            glyph("H", strokes(line(24, 6, 24, 94), line(76, 6, 76, 94), line(24, 50, 76, 50))),
            glyph("J", strokes(curve(66, 6, 66, 6, 66, 66, 58, 88, 40, 94, 24, 78), line(44, 6, 86, 6))),
            glyph("K", strokes(line(26, 6, 26, 94), line(76, 8, 26, 56), line(40, 44, 78, 94))),
            glyph("L", strokes(line(28, 6, 28, 92, 78, 92))),
            glyph("M", strokes(line(14, 94, 22, 8, 50, 60, 78, 8, 86, 94))),
            glyph("N", strokes(line(22, 94, 22, 8, 78, 92, 78, 6))),
            glyph("P", strokes(line(28, 6, 28, 95), curve(28, 6, 28, 6, 62, 8, 76, 28, 62, 50, 28, 54, 28, 54))),
            glyph("Q", strokes(ellipse(48, 46, 32, 38), line(54, 66, 84, 96))),
            glyph(
                    "R",
                    strokes(
                            line(28, 6, 28, 95),
                            curve(28, 6, 28, 6, 62, 8, 74, 26, 60, 46, 28, 50, 28, 50),
                            line(44, 50, 80, 95))),
            glyph("T", strokes(line(16, 8, 84, 8), line(50, 8, 50, 95))),
            glyph("U", strokes(curve(22, 6, 22, 6, 22, 58, 32, 88, 52, 94, 70, 86, 78, 58, 78, 6, 78, 6))),
            glyph("V", strokes(line(16, 6, 50, 94, 84, 6))),
            glyph("W", strokes(line(10, 8, 30, 92, 50, 36, 70, 92, 90, 8))),
            glyph("X", strokes(line(18, 8, 82, 94), line(80, 6, 20, 94))),
            glyph("Y", strokes(line(18, 6, 50, 48, 50, 95), line(82, 6, 50, 48))),
            glyph(
                    "small-a",
                    strokes(curve(72, 40, 52, 28, 28, 44, 26, 74, 46, 90, 68, 76, 72, 40, 72, 40, 72, 78, 84, 92))),
            glyph(
                    "small-e",
                    strokes(curve(24, 60, 24, 60, 74, 54, 74, 54, 68, 32, 46, 26, 26, 46, 28, 78, 52, 92, 76, 80))),
            glyph("small-h", strokes(line(28, 6, 28, 94), curve(28, 60, 46, 42, 66, 48, 72, 70, 72, 94))),
            glyph("small-y", strokes(curve(24, 30, 28, 54, 46, 62, 66, 52, 74, 30, 74, 30, 70, 74, 54, 96, 28, 90))),
            glyph("delta", strokes(line(50, 8, 16, 92, 84, 92, 50, 8))),
            glyph("lambda", strokes(curve(22, 8, 38, 14, 54, 54, 66, 86, 82, 92), line(48, 44, 18, 94))),
            glyph(
                    "pi",
                    strokes(line(14, 28, 86, 28), line(34, 28, 30, 94), curve(66, 28, 66, 28, 64, 74, 70, 92, 82, 88))),
            glyph("phi", strokes(ellipse(50, 50, 32, 24), line(50, 4, 50, 96))),
            glyph("psi", strokes(curve(18, 14, 20, 44, 34, 62, 50, 64, 68, 60, 80, 42, 82, 14), line(50, 6, 50, 96))),
            glyph("theta", strokes(ellipse(50, 50, 30, 42), line(20, 50, 80, 50))));

    private GlyphAlphabets() {}
}
