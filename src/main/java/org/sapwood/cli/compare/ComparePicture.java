package org.sapwood.cli.compare;

import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.function.Function;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.internal.chartpart.Chart;
import org.knowm.xchart.style.AxesChartStyler;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.lines.SeriesLines;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;
import org.sapwood.io.PngImages;

/**
 * The picture: {@code compare.png}, accuracy and, where it was measured, Fréchet distance. Where the grid has an axis
 * of three or more numbers, lines over it; otherwise bars by run, grouped by the first axis.
 */
final class ComparePicture {
    private static final int WIDTH = 1000;
    private static final int HEIGHT = 440;

    /** Room for the vertical axis, so that both charts begin at one line. */
    private static final int LEFT = 70;

    /** Pixels for each unit of length: the picture stays sharp on dense screens. */
    private static final int DENSITY = 2;

    /** Okabe and Ito's colors, told apart by people with any kind of color vision. */
    private static final List<Color> COLORS = List.of(
            new Color(0x0072B2),
            new Color(0xD55E00),
            new Color(0x009E73),
            new Color(0xCC79A7),
            new Color(0xE69F00),
            new Color(0x56B4E9),
            new Color(0x555555),
            new Color(0x8C6D31));

    private static final List<Marker> MARKERS = List.of(
            SeriesMarkers.CIRCLE,
            SeriesMarkers.SQUARE,
            SeriesMarkers.DIAMOND,
            SeriesMarkers.TRIANGLE_UP,
            SeriesMarkers.TRIANGLE_DOWN,
            SeriesMarkers.CROSS);

    private static final int LEAST_POINTS_OF_A_LINE = 3;

    private final CompareSpec spec;
    private final List<Row> rows;

    ComparePicture(CompareSpec spec, List<Outcome> outcomes) {
        this.spec = spec;
        this.rows = Row.of(outcomes).stream()
                .filter(row -> row.accuracy().isKnown())
                .toList();
    }

    /** Whether there is anything to draw yet. */
    boolean isEmpty() {
        return rows.isEmpty();
    }

    void write(Path file) {
        PngImages.write(file, draw());
    }

    BufferedImage draw() {
        List<Chart<?, ?>> charts = new ArrayList<>();
        Chart<?, ?> accuracy = chart("accuracy, %", Row::accuracy);
        accuracy.setTitle(spec.title());
        charts.add(accuracy);
        if (rows.stream().anyMatch(row -> row.frechet().isKnown())) {
            charts.add(chart("Fréchet distance (lower is better)", Row::frechet));
        }
        BufferedImage picture =
                new BufferedImage(DENSITY * WIDTH, DENSITY * HEIGHT * charts.size(), BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = picture.createGraphics();
        try {
            graphics.scale(DENSITY, DENSITY);
            graphics.setRenderingHint(RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
            for (Chart<?, ?> chart : charts) {
                chart.paint(graphics, WIDTH, HEIGHT);
                graphics.translate(0, HEIGHT);
            }
        } finally {
            graphics.dispose();
        }
        return picture;
    }

    private Chart<?, ?> chart(String title, Function<Row, Spread> measurement) {
        return lineAxis()
                .<Chart<?, ?>>map(axis -> lines(axis, title, measurement))
                .orElseGet(() -> bars(title, measurement));
    }

    /** The axis with the most numbers, if it has enough for a line. */
    private Optional<Axis> lineAxis() {
        return spec.axes().entrySet().stream()
                .filter(entry -> entry.getValue().size() >= LEAST_POINTS_OF_A_LINE)
                .filter(entry -> entry.getValue().stream().allMatch(ComparePicture::isNumber))
                .max((a, b) -> Integer.compare(a.getValue().size(), b.getValue().size()))
                .map(Map.Entry::getKey);
    }

    private static boolean isNumber(String text) {
        try {
            return Double.isFinite(Double.parseDouble(text));
        } catch (NumberFormatException e) {
            return false;
        }
    }

    // --- lines -------------------------------------------------------------------------------------------------------

    private XYChart lines(Axis axis, String title, Function<Row, Spread> measurement) {
        XYChart chart = new XYChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .xAxisTitle(axis.text())
                .yAxisTitle(title)
                .build();
        style(chart.getStyler());
        List<Double> positions = spec.axes().getOrDefault(axis, List.of()).stream()
                .map(Double::parseDouble)
                .sorted()
                .toList();
        double low = positions.getFirst();
        double high = positions.getLast();
        double margin = 0.03 * (high - low);
        chart.getStyler().setErrorBarsColorSeriesColor(true);
        chart.getStyler().setXAxisMin(low - margin);
        chart.getStyler().setXAxisMax(high + margin);
        SequencedMap<String, List<Row>> series = new LinkedHashMap<>();
        rows.forEach(row -> series.computeIfAbsent(row.labelWithout(axis), key -> new ArrayList<>())
                .add(row));
        int color = 0;
        for (Map.Entry<String, List<Row>> entry : series.entrySet()) {
            List<Row> known = entry.getValue().stream()
                    .filter(row -> measurement.apply(row).isKnown())
                    .sorted((a, b) -> Double.compare(position(a, axis), position(b, axis)))
                    .toList();
            if (!known.isEmpty()) {
                add(chart, entry.getKey(), known, axis, measurement, low - margin, high + margin, color);
            }
            color++;
        }
        return chart;
    }

    /** Where a row stands: its value of the axis, fixed or varied; NaN for one that has none. */
    private static double position(Row row, Axis axis) {
        String value = row.options().of(axis.stage()).get(axis.option());
        return value != null && isNumber(value) ? Double.parseDouble(value) : Double.NaN;
    }

    private static void add(
            XYChart chart,
            String name,
            List<Row> known,
            Axis axis,
            Function<Row, Spread> measurement,
            double left,
            double right,
            int index) {
        boolean level = Double.isNaN(position(known.getFirst(), axis));
        List<Double> x = new ArrayList<>();
        List<Double> y = new ArrayList<>();
        List<Double> error = new ArrayList<>();
        for (Row row : known) {
            Spread value = measurement.apply(row);
            x.add(level ? left : position(row, axis));
            y.add(value.mean());
            error.add(level ? 0 : value.deviation());
        }
        if (level) {
            x.add(right);
            y.add(y.getFirst());
            error.add(0.0);
        }
        boolean errors = error.stream().anyMatch(e -> e > 0);
        XYSeries series = errors ? chart.addSeries(name, x, y, error) : chart.addSeries(name, x, y);
        Color color = COLORS.get(index % COLORS.size());
        series.setLineColor(color);
        series.setMarkerColor(color);
        series.setLineWidth(level ? 1.5f : 2f);
        series.setLineStyle(
                level ? SeriesLines.DASH_DASH : index < COLORS.size() ? SeriesLines.SOLID : SeriesLines.DOT_DOT);
        series.setMarker(level ? SeriesMarkers.NONE : MARKERS.get(index % MARKERS.size()));
    }

    // --- bars --------------------------------------------------------------------------------------------------------

    private CategoryChart bars(String title, Function<Row, Spread> measurement) {
        CategoryChart chart = new CategoryChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .yAxisTitle(title)
                .build();
        style(chart.getStyler());
        Optional<Axis> axis = spec.firstAxis();
        SequencedMap<String, SequencedMap<String, Row>> bySeries = new LinkedHashMap<>();
        SequencedSet<String> categories = new LinkedHashSet<>();
        for (Row row : rows) {
            String category = axis.map(row::labelWithout).orElse(row.run());
            String name = axis.map(a -> row.at(a).isEmpty() ? "" : Row.label(a, row.at(a)))
                    .orElse("");
            categories.add(category);
            bySeries.computeIfAbsent(name, key -> new LinkedHashMap<>()).put(category, row);
        }
        boolean errors = rows.stream().anyMatch(row -> measurement.apply(row).deviation() > 0);
        int color = 0;
        for (Map.Entry<String, SequencedMap<String, Row>> entry : bySeries.entrySet()) {
            List<Double> y = new ArrayList<>();
            List<Double> error = new ArrayList<>();
            for (String category : categories) {
                Row row = entry.getValue().get(category);
                Spread value = row == null ? Spread.NONE : measurement.apply(row);
                y.add(value.isKnown() ? value.mean() : null);
                error.add(value.isKnown() ? value.deviation() : null);
            }
            String name =
                    entry.getKey().isEmpty() ? "no " + axis.map(Axis::text).orElse("grid") : entry.getKey();
            var series = errors
                    ? chart.addSeries(name, List.copyOf(categories), y, error)
                    : chart.addSeries(name, List.copyOf(categories), y);
            series.setFillColor(COLORS.get(color++ % COLORS.size()));
        }
        chart.getStyler().setErrorBarsColorSeriesColor(false);
        chart.getStyler().setErrorBarsColor(new Color(0x333333));
        chart.getStyler().setAvailableSpaceFill(0.8);
        chart.getStyler().setLegendVisible(bySeries.size() > 1);
        chart.getStyler().setYAxisMin(0.0);
        int letters = categories.stream().mapToInt(String::length).max().orElse(0);
        if (letters * categories.size() > 110) {
            chart.getStyler().setXAxisLabelRotation(20);
        }
        return chart;
    }

    // --- both --------------------------------------------------------------------------------------------------------

    private static void style(AxesChartStyler styler) {
        styler.setBaseFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13));
        styler.setChartBackgroundColor(Color.WHITE);
        styler.setPlotBackgroundColor(Color.WHITE);
        styler.setPlotBorderVisible(false);
        styler.setPlotGridVerticalLinesVisible(false);
        styler.setPlotGridLinesColor(new Color(0xDDDDDD));
        styler.setChartTitleBoxVisible(false);
        styler.setChartTitleFont(new Font(Font.SANS_SERIF, Font.BOLD, 16));
        styler.setYAxisLeftWidthHint(LEFT);
        styler.setXAxisDecimalPattern("0.######");
        styler.setYAxisDecimalPattern("0.####");
        styler.setAxisTitleFont(new Font(Font.SANS_SERIF, Font.PLAIN, 14));
        styler.setAxisTickLabelsFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13));
        styler.setLegendFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13));
        styler.setLegendBorderColor(Color.WHITE);
        styler.setLegendPosition(Styler.LegendPosition.OutsideE);
        styler.setChartPadding(14);
        styler.setMarkerSize(8);
    }
}
