package org.sapwood.synthesis;

import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.simple.RandomSource;
import org.sapwood.autograd.Parameter;
import org.sapwood.autograd.ParameterVector;
import org.sapwood.io.UserException;
import org.sapwood.nn.UNet;

/** Which weights of a model train under each method; all others are frozen and cost nothing. */
final class TrainedWeights {
    private TrainedWeights() {}

    /**
     * Number of parameters (matrices, vectors) that will train, before adapters are attached.
     *
     * @throws UserException if nothing would train
     */
    static int parameterCount(TrainOptions options, UNet model) {
        if (!options.method().adapts()) {
            Predicate<String> trains = existing(options, model);
            return (int) model.parameters().all().stream()
                    .filter(p -> trains.test(p.name()))
                    .count();
        }
        int candidates = options.candidates().matrices(model).size();
        int adapted = options.selection() == SelectionRule.ALL
                ? candidates
                : SelectionRule.count(candidates, options.selectFraction());
        return 2 * adapted
                + (PublicModel.trainsLabels(options, model)
                        ? model.conditionParameters().size()
                        : 0);
    }

    /**
     * Makes trainable what the method trains, and freezes the rest.
     *
     * @param selected matrices to adapt; of no account to a method that does not adapt
     * @param seed of the initial adapters
     */
    static ParameterVector prepare(TrainOptions options, UNet model, List<String> selected, long seed) {
        return options.method().adapts()
                ? adapt(options, model, selected, RandomSource.XO_SHI_RO_256_PP.create(seed))
                : choose(options, model);
    }

    /** Makes the model's own weights that {@code options} name trainable and freezes the others. */
    static ParameterVector choose(TrainOptions options, UNet model) {
        model.parameters().trainOnly(existing(options, model));
        return model.parameters().trainable();
    }

    private static Predicate<String> existing(TrainOptions options, UNet model) {
        return switch (options.method()) {
            case DP_DIFFUSION, NON_PRIVATE -> name -> true;
            case DP_LDM -> transformers(options, model);
            case DP_SAPF, DP_LORA, DPAF -> throw new IllegalArgumentException(options.method() + " trains new weights");
        };
    }

    private static Predicate<String> transformers(TrainOptions options, UNet model) {
        List<String> blocks = model.transformerBlocks();
        if (options.firstTrainedBlock() >= blocks.size()) {
            throw new UserException(
                    "--first-trained-block must be below the number of transformer blocks of the model, "
                            + blocks.size() + ", got " + options.firstTrainedBlock());
        }
        List<String> trained = blocks.subList(options.firstTrainedBlock(), blocks.size());
        boolean labels = PublicModel.trainsLabels(options, model);
        return name -> trained.stream().anyMatch(block -> name.startsWith(block + "."))
                || (labels && UNet.isLabelEmbedder(name));
    }

    /**
     * Attaches adapters to the selected matrices and freezes everything else but, if asked for, the label embedder.
     *
     * @param rng of the initial adapters
     */
    static ParameterVector adapt(TrainOptions options, UNet model, List<String> selected, UniformRandomProvider rng) {
        Set<String> before =
                model.parameters().all().stream().map(Parameter::name).collect(Collectors.toSet());
        for (String matrix : selected) {
            Objects.requireNonNull(model.matrices().get(matrix), matrix)
                    .adapt(model.parameters(), options.loraRank(), (float) options.loraScale(), rng);
        }
        boolean labels = PublicModel.trainsLabels(options, model);
        model.parameters().trainOnly(name -> !before.contains(name) || (labels && UNet.isLabelEmbedder(name)));
        return model.parameters().trainable();
    }
}
