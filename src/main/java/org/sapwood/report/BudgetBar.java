package org.sapwood.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.sapwood.privacy.accounting.PldAccountant;
import org.sapwood.privacy.accounting.PrivacyEvent;

/**
 * How the planned ε is divided over the events. Costs under composition do not add up, so the bar tells what the most
 * expensive event would cost alone and how much each further one adds to that.
 *
 * @param parts of the bar, the most expensive first
 * @param total planned ε
 * @param spent ε spent
 */
record BudgetBar(List<Part> parts, double total, double spent) {
    /** Composing more than this for a picture takes longer than the picture is worth. */
    private static final int MOST_EVENTS = 6;

    /** A ledger of another version may compose otherwise; then there is no bar rather than a wrong one. */
    private static final double AGREEMENT = 1e-3;

    private static final String COLOURS = "c";

    /**
     * One part.
     *
     * @param name of the event
     * @param epsilon what it adds to the parts before it, ≥ 0
     */
    record Part(String name, double epsilon) {}

    private record Cost(PrivacyEvent event, double alone) {}

    /** The bar of a ledger; empty where it cannot be worked out. */
    static Optional<BudgetBar> of(Map<String, Object> ledger, List<?> events) {
        double total = Figures.number(RunFacts.map(ledger.get("epsilon")).get("pld"));
        double spent = Figures.number(RunFacts.map(ledger.get("epsilon_spent")).get("pld"));
        double delta = Figures.number(ledger.get("delta"));
        if (events.size() > MOST_EVENTS || !(total > 0) || !Double.isFinite(total)) {
            return Optional.empty();
        }
        try {
            List<Part> parts = divide(events.stream().map(BudgetBar::event).toList(), delta);
            double sum = parts.stream().mapToDouble(Part::epsilon).sum();
            return Math.abs(sum - total) <= AGREEMENT * total
                    ? Optional.of(new BudgetBar(parts, total, spent))
                    : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty(); // values that no event can have
        }
    }

    private static PrivacyEvent event(Object json) {
        Map<?, ?> fields = RunFacts.map(json);
        return new PrivacyEvent(
                String.valueOf(fields.get("name")),
                Figures.number(fields.get("q")),
                Figures.number(fields.get("sigma")),
                Figures.number(fields.get("sensitivity")),
                (int) Figures.number(fields.get("steps")));
    }

    private static List<Part> divide(List<PrivacyEvent> events, double delta) {
        PldAccountant accountant = new PldAccountant();
        List<Cost> costs = new ArrayList<>();
        events.forEach(event -> costs.add(new Cost(event, accountant.epsilon(List.of(event), delta))));
        costs.sort(Comparator.comparingDouble(Cost::alone).reversed());
        List<Part> parts = new ArrayList<>();
        double before = 0;
        for (int i = 0; i < costs.size(); i++) {
            List<PrivacyEvent> composed =
                    costs.subList(0, i + 1).stream().map(Cost::event).toList();
            double upToHere = Math.max(before, i == 0 ? costs.getFirst().alone() : accountant.epsilon(composed, delta));
            parts.add(new Part(costs.get(i).event().name(), upToHere - before));
            before = upToHere;
        }
        return parts;
    }

    void append(Html html) {
        html.open("figure", "class", "budget");
        html.open(
                "svg",
                "viewBox",
                "0 0 1000 60",
                "preserveAspectRatio",
                "none",
                "role",
                "img",
                "aria-label",
                "Budget of ε = " + Figures.up(total) + ": " + description());
        double x = 0;
        for (int i = 0; i < parts.size(); i++) {
            double width = 1000 * parts.get(i).epsilon() / total;
            rectangle(html, x, 0, width, 40, COLOURS + i);
            x += width;
        }
        rectangle(html, 0, 48, 1000, 12, "track");
        rectangle(html, 0, 48, Math.min(1000, 1000 * spent / total), 12, "spent");
        html.close("svg");
        html.open("figcaption").open("ul", "class", "legend");
        for (int i = 0; i < parts.size(); i++) {
            html.open("li").leaf("span", "", "class", "swatch " + COLOURS + i).text(" " + legend(i));
            html.close("li");
        }
        html.open("li").leaf("span", "", "class", "swatch spent");
        html.text(" spent: ε = " + Figures.up(spent) + " of " + Figures.up(total))
                .close("li");
        html.close("ul").close("figcaption").close("figure");
    }

    private String description() {
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < parts.size(); i++) {
            texts.add(legend(i));
        }
        return String.join("; ", texts);
    }

    private String legend(int i) {
        Part part = parts.get(i);
        String cost = String.format(Locale.ROOT, "%.3g", part.epsilon());
        return i == 0 ? part.name() + " alone: ε = " + cost : part.name() + " adds " + cost;
    }

    private static void rectangle(Html html, double x, double y, double width, double height, String style) {
        html.open(
                "rect",
                "x",
                number(x),
                "y",
                number(y),
                "width",
                number(Math.max(0, width)),
                "height",
                number(height),
                "class",
                style);
        html.close("rect");
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.2f", value);
    }
}
