package org.sapwood.synthesis;

import java.util.ArrayList;
import java.util.List;
import org.sapwood.autograd.Parameter;
import org.sapwood.autograd.ParameterVector;
import org.sapwood.nn.UNet;
import org.sapwood.privacy.aggregation.GradientGrid;
import org.sapwood.privacy.ledger.Charge;
import org.sapwood.privacy.random.GaussianNoise;
import org.sapwood.privacy.sampling.ExpectedBatchSize;
import org.sapwood.tensor.ClipPlan;
import org.sapwood.tensor.ClipPlan.Group;
import org.sapwood.tensor.DeviceTraining;

/**
 * Clips every example's gradient once and adds it to an exact integer sum, which is noised once per logical batch and
 * trained on. The sum is where the gradients are: on the host, one per worker, or on a device.
 */
sealed interface PrivateGradientSum extends GradientEngine.RowConsumer permits HostGradientSum, DeviceGradientSum {
    /**
     * A sum for a rule with one norm over all parameters, where the label embedder's gradient counts {@code labelScale}
     * times. The scale is a public constant, so the sum is that of another, equally clipped vector and its sensitivity
     * the same; the optimizer, which normalises every coordinate, needs no unscaling.
     */
    static PrivateGradientSum flat(
            GradientGrid grid, ParameterVector parameters, int labelScale, GradientEngine engine) {
        LabelSpan labels = LabelSpan.of(parameters);
        List<Group> groups = new ArrayList<>();
        groups.add(new Group(0, labels.from(), 1));
        groups.add(new Group(labels.from(), labels.length(), labelScale));
        groups.add(new Group(labels.to(), parameters.size() - labels.to(), 1));
        groups.removeIf(group -> group.length() == 0);
        return of(grid, groups, engine);
    }

    /**
     * A sum for a rule with one norm per parameter. The label embedder's gradient counts {@code labelScale} times here, too:
     * clipping shortens and never lengthens, so the embedder would not come near a bound of its own.
     */
    static PrivateGradientSum byParameter(
            GradientGrid grid, ParameterVector parameters, int labelScale, GradientEngine engine) {
        List<Group> groups = new ArrayList<>();
        for (Parameter parameter : parameters.parameters()) {
            int at = parameters.offset(parameters.position(parameter));
            groups.add(new Group(at, parameter.size(), UNet.isLabelEmbedder(parameter.name()) ? labelScale : 1));
        }
        return of(grid, groups, engine);
    }

    private static PrivateGradientSum of(GradientGrid grid, List<Group> groups, GradientEngine engine) {
        ClipPlan plan = grid.plan(groups);
        DeviceTraining device = engine.trainOnDevice(plan);
        return device == null
                ? new HostGradientSum(grid, groups, engine.pool(), engine.rowsPerMicroBatch())
                : new DeviceGradientSum(grid, device);
    }

    /** Tells the training where its state has to be. */
    void prepare(TrainingState state);

    /**
     * Adds noise, once, and trains on the mean over the public batch size; the sum is then empty again.
     *
     * @param charge proof that the step is recorded
     * @param noise a fresh stream
     */
    void release(Charge charge, GaussianNoise noise, ExpectedBatchSize batch, TrainingState state, double learningRate);

    /** Euclidean norm of the last noised mean. */
    double updateNorm();

    /** The exact sum so far, in units of the grid; private, for tests of what enters it. */
    long[] mergedUnits();
}
