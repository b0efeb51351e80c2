package org.sapwood.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.sapwood.privacy.accounting.PldAccountant;
import org.sapwood.privacy.accounting.PrivacyEvent;
import org.sapwood.privacy.accounting.RdpAccountant;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sapwood privacy epsilon}: ε of a composition of events. */
@Command(
        name = "epsilon",
        header = "What queries cost together.",
        description = {
            "",
            "Prints ε of the composition of all events at δ, by both accountants. Each is a proven upper bound under"
                    + " add/remove neighbours; pld is the tighter one and the one that runs report.",
            "",
            "Example: sapwood privacy epsilon --event q=0.04,sigma=1.5,steps=2250 --delta 1e-5",
            "",
        })
@SuppressWarnings("NullAway.Init") // picocli sets the annotated fields
final class PrivacyEpsilonCommand implements Callable<Integer> {
    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Option(
            names = "--event",
            required = true,
            converter = EventConverter.class,
            paramLabel = "EVENT",
            description =
                    "q=RATE,sigma=NOISE,steps=COUNT: queries of one kind. Each example is included with probability q"
                            + " in [0, 1], noise has standard deviation sigma times the sensitivity. Repeat for other"
                            + " kinds; order does not matter.")
    private List<PrivacyEvent> events;

    @Option(names = "--delta", required = true, paramLabel = "D", description = "δ, in (0, 1).")
    private double delta;

    @Override
    public Integer call() {
        common.check().insideUnit("--delta", delta);
        double rdp = new RdpAccountant().epsilon(events, delta);
        double pld = new PldAccountant().epsilon(events, delta);
        Map<String, Object> data = new LinkedHashMap<>();
        data.put("delta", delta);
        data.put("rdp", rdp);
        data.put("pld", pld);
        String text = "ε = " + Rounding.up(pld) + " by PLD, " + Rounding.up(rdp) + " by RDP, at δ = " + delta;
        common.result(data, List.of(text));
        return ExitCode.OK;
    }
}
