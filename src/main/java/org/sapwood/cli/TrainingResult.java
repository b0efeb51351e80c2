package org.sapwood.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.sapwood.synthesis.FineTuning;
import org.sapwood.tensor.BackendChoice;

/** What {@code train} and {@code resume} do and say when the last step is done. */
final class TrainingResult {
    private TrainingResult() {}

    /** Draws the sheet, writes the report, prints where things are and what was spent. */
    static void report(FineTuning.Result result, CommonOptions common, BackendChoice backend) {
        TrainedRun run = new TrainedRun(result.folder());
        run.finish(common, backend);
        boolean isPrivate = Double.isFinite(result.epsilon());
        Map<String, Object> data = new LinkedHashMap<>();
        data.put("run", result.folder().path());
        data.put("checkpoint", run.model().weights());
        data.put("trained_weights", result.trained());
        data.put("epsilon", result.epsilon());
        data.put("delta", result.delta());
        List<String> text = new ArrayList<>();
        text.add("trained " + result.trained() + " weights: " + run.model().weights());
        text.add(
                isPrivate
                        ? "spent ε = " + Rounding.up(result.epsilon()) + " at δ = " + Rounding.up(result.delta()) + ": "
                                + result.folder().privacyJson()
                        : "NOT PRIVATE: this run makes no guarantee and must not be released");
        text.add("open " + result.folder().report());
        common.result(data, text);
    }
}
