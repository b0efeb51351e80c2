package org.sapwood.synthesis;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.sapwood.autograd.GradientPlan;
import org.sapwood.autograd.GradientPlan.Layer;
import org.sapwood.autograd.LayerCost;
import org.sapwood.autograd.Parameter;
import org.sapwood.autograd.ParameterVector;
import org.sapwood.autograd.WeightUse;
import org.sapwood.diffusion.DenoisingTape;
import org.sapwood.nn.UNet;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.BackendChoice;

/**
 * How a private run would obtain the gradients of its examples, layer by layer, and what that costs: from sizes alone,
 * without an image.
 *
 * @param plan what is chosen
 * @param backend name of the backend
 * @param onDevice whether gradients are computed on a device
 * @param microBatch examples that a worker has at a time; 0 if the device's memory decides
 * @param stepFlops FLOPs of an ordinary step by example in products with weights: 6·T·p·d where the weight trains, 4·T·p·d
 *     where it is frozen
 */
public record GradientExplanation(
        GradientPlan plan, String backend, boolean onDevice, int microBatch, double stepFlops) {
    private static final String ROW = "%-52s %6s %6s %5s %9s %9s %11s %9s %9s  %-12s %s";

    /**
     * The explanation for a denoising model.
     *
     * @param model with its parameters frozen and its adapters attached as for training
     * @param draws K
     * @param microBatch images per worker, or 0 for the default
     */
    public static GradientExplanation of(UNet model, int draws, int microBatch, BackendChoice backend) {
        boolean conditional = model.config().classes() > 0;
        return of(
                (own, arena, images, lossScale) ->
                        DenoisingTape.forTraining(own, arena, model, images, conditional, lossScale),
                model.parameters().trainable(),
                draws,
                microBatch,
                backend,
                GradientPlan.ROW_BYTES);
    }

    /** The explanation for any tape; parameters as in {@link GradientEngine}. */
    static GradientExplanation of(
            GradientEngine.TapeRecorder recorder,
            ParameterVector parameters,
            int draws,
            int microBatch,
            BackendChoice backend,
            long rowBytes) {
        try (Backend own = backend.open()) {
            boolean onDevice = own.isDevice();
            List<WeightUse> uses = GradientEngine.uses(own, recorder, draws);
            GradientPlan plan = GradientEngine.plan(onDevice, uses, parameters, draws, rowBytes);
            double flops = 0;
            for (WeightUse use : uses) {
                flops += (use.trained() ? 3 : 2) * use.flops() * plan.draws();
            }
            int images = microBatch == 0 && !onDevice ? MicroBatch.HOST : microBatch;
            int examples = images == 0 ? 0 : GradientEngine.examplesOnHost(images, draws, plan.draws());
            return new GradientExplanation(plan, backend.name(), onDevice, examples, flops);
        }
    }

    /** Bytes of an example whose gradients are all kept. */
    public long rowBytes() {
        return Float.BYTES
                * plan.layers().stream().mapToLong(l -> l.parameter().size()).sum();
    }

    /** FLOPs beyond those of keeping every gradient, relative to an ordinary step. */
    public double extraShare() {
        return plan.extraFlops() / stepFlops;
    }

    /** A table with one line per weight matrix, and the totals. */
    public List<String> lines() {
        List<String> lines = new ArrayList<>();
        lines.add(line(
                ROW, "weight matrix", "T", "p", "d", "keep", "ghost", "instantiate", "row", "kept", "choice", "why"));
        lines.add(line(ROW, "", "", "", "", "MFLOP", "MFLOP", "MFLOP", "KiB", "KiB", "", ""));
        int others = 0;
        long otherBytes = 0;
        for (Layer layer : plan.layers()) {
            LayerCost cost = layer.cost();
            if (cost == null) {
                others++;
                otherBytes += layer.bytes();
            } else {
                lines.add(matrix(layer, cost));
            }
        }
        lines.add(line("%d other parameters (biases, norms, tables): kept, %.1f KiB", others, otherBytes / 1024.0));
        lines.add("");
        lines.addAll(totals());
        return lines;
    }

    private static String matrix(Layer layer, LayerCost cost) {
        return line(
                ROW,
                layer.parameter().name(),
                cost.tokens(),
                cost.inputs(),
                cost.outputs(),
                mega(cost.materialise()),
                mega(cost.ghost()),
                mega(cost.instantiate()),
                kibi(cost.rowBytes()),
                kibi(cost.keptBytes()),
                layer.choice().name().toLowerCase(Locale.ROOT),
                layer.reason());
    }

    private List<String> totals() {
        List<String> lines = new ArrayList<>();
        double own = plan.bytesPerExample() / 1048576.0;
        double whole = rowBytes() / 1048576.0;
        if (onDevice) {
            lines.add(line(
                    "Backend %s keeps every gradient as a row in the device's memory: %.1f MiB by example of a"
                            + " micro-batch.",
                    backend, own));
            return lines;
        }
        lines.add(line(
                "Gradients take %.1f MiB by example, %.1f MiB in a worker's micro-batch of %d; kept as rows they"
                        + " would take %.1f and %.1f.",
                own, own * microBatch, microBatch, whole, whole * microBatch));
        lines.add(line("Beside them a worker has its exact sums, 8 bytes by weight: %.1f MiB.", 2 * whole));
        lines.add(line(
                "Making gradients twice adds %.1f MFLOP by example, %.1f %% of the %.0f MFLOP that an ordinary step"
                        + " spends in products with weights.",
                plan.extraFlops() / 1e6, 100 * extraShare(), stepFlops / 1e6));
        lines.add("T counts all draws of an example. The choice follows from sizes alone; the sums are exact either"
                + " way.");
        return lines;
    }

    @SuppressWarnings("AnnotateFormatMethod") // the annotation would be a dependency of its own
    private static String line(String format, Object... values) {
        return String.format(Locale.ROOT, format, values).stripTrailing();
    }

    private static String mega(double flops) {
        return line("%.2f", flops / 1e6);
    }

    private static String kibi(long bytes) {
        return line("%.1f", bytes / 1024.0);
    }

    /** The same in numbers, bytes and FLOPs. */
    public Map<String, Object> toJson() {
        List<Object> layers = new ArrayList<>();
        for (Layer layer : plan.layers()) {
            Parameter parameter = layer.parameter();
            Map<String, Object> facts = new LinkedHashMap<>();
            facts.put("name", parameter.name());
            facts.put("size", parameter.size());
            facts.put("choice", layer.choice().name().toLowerCase(Locale.ROOT));
            facts.put("reason", layer.reason());
            facts.put("bytes", layer.bytes());
            LayerCost cost = layer.cost();
            if (cost != null) {
                facts.put("tokens", cost.tokens());
                facts.put("inputs", cost.inputs());
                facts.put("outputs", cost.outputs());
                facts.put("materialise_flops", cost.materialise());
                facts.put("ghost_flops", cost.ghost());
                facts.put("instantiate_flops", cost.instantiate());
            }
            layers.add(facts);
        }
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("backend", backend);
        json.put("bytes_per_example", plan.bytesPerExample());
        json.put("row_bytes_per_example", rowBytes());
        json.put("examples_per_micro_batch", microBatch);
        json.put("extra_flops_per_example", plan.extraFlops());
        json.put("step_flops_per_example", stepFlops);
        json.put("parameters", layers);
        return json;
    }
}
