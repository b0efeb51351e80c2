package org.sapwood.cli;

import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;
import org.sapwood.synthesis.CandidateSet;
import org.sapwood.synthesis.SelectionRule;
import picocli.CommandLine.Option;

/** Which weights train: low-rank adapters on selected matrices, and the label embedder. */
@SuppressWarnings("NullAway.Init") // picocli sets the annotated fields
final class AdapterOptions {
    @Option(
            names = "--lora-rank",
            paramLabel = "R",
            defaultValue = "4",
            description = "Rank r of each adapter W + s·B·A, >= 1 (default: ${DEFAULT-VALUE}).")
    private int loraRank;

    @Option(
            names = "--lora-scale",
            paramLabel = "S",
            defaultValue = "1.0",
            description = "Scale s of each adapter, > 0 (default: ${DEFAULT-VALUE}).")
    private double loraScale;

    @Option(
            names = "--candidates",
            paramLabel = "SET",
            defaultValue = "all",
            description = "Matrices that may be adapted: attention (the paper's), linear (all linear layers) or all"
                    + " (and convolutions) (default: ${DEFAULT-VALUE}).")
    private CandidateSet candidates;

    @Option(
            names = "--selection",
            paramLabel = "RULE",
            description =
                    "How the adapted ones are chosen: energy or vote (private queries), layer (private, whole blocks),"
                            + " random, or all (default: energy for dp-sapf, all otherwise).")
    private @Nullable SelectionRule selection;

    @Option(
            names = "--select-fraction",
            paramLabel = "F",
            defaultValue = "0.7",
            description = "Share of the candidates that is kept, in (0, 1] (default: ${DEFAULT-VALUE}).")
    private double selectFraction;

    @Option(
            names = "--selection-rate",
            paramLabel = "Q",
            defaultValue = "auto",
            description = "Probability that an example is in the selection query, in (0, 1], or auto for the one of"
                    + " training, B/N (default: ${DEFAULT-VALUE}).")
    private OptionalDouble selectionRate;

    @Option(
            names = "--selection-noise",
            paramLabel = "SIGMA",
            defaultValue = "auto",
            description =
                    "Noise multiplier of the selection query, > 0, or auto for the smallest that costs at most 3 %%"
                            + " more training noise (default: ${DEFAULT-VALUE}).")
    private OptionalDouble selectionNoise;

    @Option(
            names = "--selection-draws",
            paramLabel = "K",
            defaultValue = "4",
            description =
                    "Draws of timestep and noise per example in the selection query, >= 1 (default: ${DEFAULT-VALUE}).")
    private int selectionDraws;

    @Option(
            names = "--votes",
            paramLabel = "V",
            defaultValue = "4",
            description =
                    "Matrices that each example votes for, with --selection vote, >= 1 (default: ${DEFAULT-VALUE}).")
    private int votes;

    @Option(
            names = "--train-label-embedding",
            negatable = true,
            defaultValue = "true",
            fallbackValue = "true",
            description = "Train the label embedding along with the adapters, in the same budget (default: yes).")
    private boolean trainLabelEmbedding;

    @Option(
            names = "--first-trained-block",
            paramLabel = "B",
            defaultValue = "0",
            description =
                    "With dp-ldm: train the transformer blocks from this one on, counted from 0 in the order of the"
                            + " model; the ones before it stay public (default: ${DEFAULT-VALUE}).")
    private int firstTrainedBlock;

    int firstTrainedBlock() {
        return firstTrainedBlock;
    }

    int loraRank() {
        return loraRank;
    }

    double loraScale() {
        return loraScale;
    }

    CandidateSet candidates() {
        return candidates;
    }

    @Nullable
    SelectionRule selection() {
        return selection;
    }

    double selectFraction() {
        return selectFraction;
    }

    OptionalDouble selectionRate() {
        return selectionRate;
    }

    OptionalDouble selectionNoise() {
        return selectionNoise;
    }

    int selectionDraws() {
        return selectionDraws;
    }

    int votes() {
        return votes;
    }

    boolean trainLabelEmbedding() {
        return trainLabelEmbedding;
    }
}
