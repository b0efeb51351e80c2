package org.sapwood.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.sapwood.io.UserException;
import org.sapwood.privacy.accounting.Accountant;
import org.sapwood.privacy.accounting.Calibration;
import org.sapwood.privacy.accounting.PldAccountant;
import org.sapwood.privacy.accounting.PrivacyEvent;
import org.sapwood.privacy.accounting.RdpAccountant;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sapwood privacy calibrate}: the noise that a budget needs. */
@Command(
        name = "calibrate",
        header = "How much noise a budget needs.",
        description = {
            "",
            "Prints the smallest noise multiplier σ with which the steps, together with any further events, stay"
                    + " within (ε, δ), by both accountants. The search is conservative: ε of the printed σ is at most the"
                    + " target.",
            "",
            "Example: sapwood privacy calibrate --sampling-rate 0.04 --steps 2250 --epsilon 8 --delta 1e-5",
            "",
        })
@SuppressWarnings("NullAway.Init") // picocli sets the annotated fields
final class PrivacyCalibrateCommand implements Callable<Integer> {
    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Option(
            names = "--sampling-rate",
            required = true,
            paramLabel = "Q",
            description = "Probability that an example is in a batch, in (0, 1].")
    private double samplingRate;

    @Option(names = "--steps", required = true, paramLabel = "T", description = "Number of training steps, >= 1.")
    private int steps;

    @Option(names = "--epsilon", required = true, paramLabel = "E", description = "Target ε, > 0.")
    private double epsilon;

    @Option(names = "--delta", required = true, paramLabel = "D", description = "Target δ, in (0, 1).")
    private double delta;

    @Option(
            names = "--event",
            converter = EventConverter.class,
            paramLabel = "EVENT",
            description = "q=RATE,sigma=NOISE,steps=COUNT: a further query whose noise is settled, such as a"
                    + " selection. Repeatable.")
    private List<PrivacyEvent> events = List.of();

    @Override
    public Integer call() {
        common.check()
                .fraction("--sampling-rate", samplingRate)
                .atLeast("--steps", 1, steps)
                .positive("--epsilon", epsilon)
                .insideUnit("--delta", delta);
        double rdp = noiseMultiplier(new RdpAccountant());
        double pld = noiseMultiplier(new PldAccountant());
        Map<String, Object> data = new LinkedHashMap<>();
        data.put("rdp", rdp);
        data.put("pld", pld);
        String text = "σ = " + Rounding.up(pld) + " by PLD, " + Rounding.up(rdp) + " by RDP";
        common.result(data, List.of(text));
        return ExitCode.OK;
    }

    private double noiseMultiplier(Accountant accountant) {
        PrivacyEvent training = new PrivacyEvent("training", samplingRate, 1, 1, steps);
        try {
            return new Calibration(accountant, epsilon, delta).noiseMultiplier(training, events);
        } catch (IllegalArgumentException e) {
            throw new UserException(String.valueOf(e.getMessage()), e);
        }
    }
}
