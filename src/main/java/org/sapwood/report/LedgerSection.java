package org.sapwood.report;

import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The ledger as tables, and how its ε is divided. */
record LedgerSection(RunFacts facts, Claim claim) implements Section {
    @Override
    public String id() {
        return "ledger";
    }

    @Override
    public String title() {
        return "Privacy ledger";
    }

    @Override
    public boolean hasContent() {
        return !facts.privacy().isEmpty();
    }

    @Override
    public void append(Html html) {
        List<?> events = RunFacts.list(facts.privacy().get("events"));
        if (events.isEmpty()) {
            html.leaf("p", "The ledger is empty: no private mechanism was used.");
            return;
        }
        BudgetBar.of(facts.privacy(), events).ifPresent(bar -> bar.append(html));
        html.leaf("p", "Each event is a query to the private images: a Gaussian sum over a Poisson sample of them.");
        html.open("div", "class", "maps");
        appendEvents(html, events);
        appendTotals(html);
        html.close("div");
        appendConditions(html);
    }

    private void appendEvents(Html html, List<?> events) {
        Tables.openScroll(html, "Events of the ledger");
        html.open("table").leaf("caption", "Events");
        html.open("thead").open("tr").leaf("th", "quantity", "scope", "col");
        for (Object event : events) {
            html.leaf("th", String.valueOf(RunFacts.map(event).get("name")), "scope", "col", "class", "number");
        }
        html.close("tr").close("thead").open("tbody");
        row(html, events, "sampling rate q", "q", Figures::rounded);
        row(html, events, "noise multiplier σ", "sigma", Figures::rounded);
        row(html, events, "sensitivity (L2)", "sensitivity", Figures::rounded);
        row(html, events, "steps planned", "steps", Figures::count);
        row(html, events, claim.finished() ? "steps spent" : "steps spent, at most", "steps_spent", Figures::count);
        html.close("tbody").close("table");
        Tables.closeScroll(html);
    }

    private static void row(Html html, List<?> events, String name, String field, Function<Double, String> format) {
        html.open("tr").leaf("th", name, "scope", "row");
        for (Object event : events) {
            double value = Figures.number(RunFacts.map(event).get(field));
            html.leaf("td", format.apply(value), "class", "number");
        }
        html.close("tr");
    }

    private void appendTotals(Html html) {
        Map<?, ?> planned = RunFacts.map(facts.privacy().get("epsilon"));
        Map<?, ?> spent = RunFacts.map(facts.privacy().get("epsilon_spent"));
        Tables.openScroll(html, "Totals of the ledger");
        html.open("table").leaf("caption", "All events together");
        html.open("thead").open("tr").leaf("th", "bound on ε", "scope", "col");
        html.leaf("th", "planned", "scope", "col", "class", "number");
        html.leaf("th", "spent", "scope", "col", "class", "number")
                .close("tr")
                .close("thead")
                .open("tbody");
        total(html, "by PLD, the one reported", planned.get("pld"), spent.get("pld"));
        total(html, "by RDP, looser", planned.get("rdp"), spent.get("rdp"));
        html.close("tbody").close("table");
        Tables.closeScroll(html);
    }

    private void appendConditions(Html html) {
        html.open("dl", "class", "facts");
        fact(html, "δ", Figures.up(claim.delta()));
        fact(html, "neighbours", neighbours(facts.privacy().get("adjacency")));
        fact(html, "randomness", randomness(facts.privacy().get("randomness")));
        html.close("dl");
    }

    private static void total(Html html, String name, @Nullable Object planned, @Nullable Object spent) {
        html.open("tr").leaf("th", name, "scope", "row");
        html.leaf("td", Figures.up(Figures.number(planned)), "class", "number");
        html.leaf("td", Figures.up(Figures.number(spent)), "class", "number").close("tr");
    }

    private static String neighbours(@Nullable Object adjacency) {
        return "ADD_REMOVE".equals(adjacency)
                ? "add/remove: data sets that differ by the presence of one image"
                : "not stated in a form this version knows: " + adjacency;
    }

    private static String randomness(@Nullable Object text) {
        return "secure".equals(text) ? "cryptographic, key never stored" : String.valueOf(text);
    }

    private static void fact(Html html, String name, String value) {
        html.open("div").leaf("dt", name).leaf("dd", value).close("div");
    }
}
