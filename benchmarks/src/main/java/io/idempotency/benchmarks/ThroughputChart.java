package io.idempotency.benchmarks;

import java.awt.Color;
import java.awt.Paint;
import java.awt.Rectangle;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.NumberFormat;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import org.jfree.chart.ChartFactory;
import org.jfree.chart.JFreeChart;
import org.jfree.chart.axis.LogAxis;
import org.jfree.chart.labels.ItemLabelAnchor;
import org.jfree.chart.labels.ItemLabelPosition;
import org.jfree.chart.labels.StandardCategoryItemLabelGenerator;
import org.jfree.chart.plot.CategoryPlot;
import org.jfree.chart.plot.PlotOrientation;
import org.jfree.chart.renderer.category.BarRenderer;
import org.jfree.chart.renderer.category.StandardBarPainter;
import org.jfree.chart.ui.TextAnchor;
import org.jfree.data.category.DefaultCategoryDataset;
import org.jfree.svg.SVGGraphics2D;

/** Draws the rates of the first scenario as bars, on a logarithmic scale, because they differ by two orders of magnitude. */
final class ThroughputChart {

    private static final int WIDTH = 900;
    private static final int ROW_HEIGHT = 26;
    private static final int FRAME_HEIGHT = 110;
    private static final double LEAST = 100;

    /** The length of the scale relative to the longest bar, which leaves room for a number at its end. */
    private static final double ROOM = 4;

    private static final NumberFormat NUMBERS = NumberFormat.getIntegerInstance(Locale.ROOT);

    private final Results results;

    ThroughputChart(Results results) {
        this.results = results;
    }

    /** Writes nothing if the first scenario was not measured. */
    void write(Path file) throws IOException {
        List<Measurement> base = results.measurements().stream()
                .filter(measurement -> measurement.scenario().equals(Scenarios.BASE))
                .sorted(Comparator.comparingDouble(
                                (Measurement measurement) -> measurement.rate().median())
                        .reversed())
                .toList();
        if (!base.isEmpty()) {
            int height = FRAME_HEIGHT + base.size() * ROW_HEIGHT;
            SVGGraphics2D svg = new SVGGraphics2D(WIDTH, height);
            chart(base).draw(svg, new Rectangle(WIDTH, height));
            Files.writeString(file, svg.getSVGDocument(), StandardCharsets.UTF_8);
        }
    }

    private static JFreeChart chart(List<Measurement> measurements) {
        DefaultCategoryDataset medians = new DefaultCategoryDataset();
        measurements.forEach(
                measurement -> medians.addValue(measurement.rate().median(), "median", measurement.contestant()));
        JFreeChart chart = ChartFactory.createBarChart(
                "All new, 12 partitions, polls of 500",
                "",
                "",
                medians,
                PlotOrientation.HORIZONTAL,
                false,
                false,
                false);
        chart.setBackgroundPaint(Color.WHITE);
        CategoryPlot plot = chart.getCategoryPlot();
        plot.setBackgroundPaint(Color.WHITE);
        plot.setRangeGridlinePaint(Color.LIGHT_GRAY);
        plot.setRangeAxis(axis(measurements.get(0).rate().median()));
        plot.setRenderer(bars());
        return chart;
    }

    private static LogAxis axis(double most) {
        LogAxis axis = new LogAxis("messages a second (logarithmic)");
        // The bars have numbers.
        axis.setTickLabelsVisible(false);
        axis.setRange(LEAST, Math.max(most, LEAST) * ROOM);
        return axis;
    }

    private static BarRenderer bars() {
        BarRenderer bars = new Bars();
        bars.setBarPainter(new StandardBarPainter());
        bars.setShadowVisible(false);
        bars.setBase(LEAST);
        bars.setDefaultItemLabelGenerator(new StandardCategoryItemLabelGenerator("{2}", NUMBERS));
        bars.setDefaultItemLabelsVisible(true);
        bars.setDefaultPositiveItemLabelPosition(
                new ItemLabelPosition(ItemLabelAnchor.OUTSIDE3, TextAnchor.CENTER_LEFT));
        return bars;
    }

    /** Shows this library in another colour than the rest. */
    @SuppressWarnings("serial") // nobody serializes it
    private static final class Bars extends BarRenderer {

        private static final Color LIBRARY = new Color(0x3B6EA8);
        private static final Color OTHERS = new Color(0xA0A4AA);

        @Override
        public Paint getItemPaint(int row, int column) {
            String contestant = getPlot().getDataset().getColumnKey(column).toString();
            return contestant.contains("table") || contestant.contains("journal") ? LIBRARY : OTHERS;
        }
    }
}
