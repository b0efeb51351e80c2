package org.sapwood.cli;

import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.sapwood.data.ImageSource;
import org.sapwood.synthesis.dpaf.DpafOptions;
import picocli.CommandLine.Option;

/** What only {@code --method dpaf} has: the GAN and how it trains. */
final class DpafOptionsGroup {
    /** Default of {@code --batch} for this method: all images. */
    static final int BATCH = 0;

    /** Default of {@code --steps} for this method. */
    static final int STEPS = 4;

    @Option(
            names = "--rounds",
            paramLabel = "R",
            defaultValue = "375",
            description =
                    "Updates of the generator after each of the --steps noised aggregates, >= 1; they cost time, not"
                            + " budget (default: ${DEFAULT-VALUE}).")
    private int rounds;

    @Option(
            names = "--generated",
            paramLabel = "N",
            defaultValue = "16",
            description = "Images generated of a class in an update, an even number >= 2 (default: ${DEFAULT-VALUE}).")
    private int generated;

    @Option(
            names = "--generator-learning-rate",
            paramLabel = "LR",
            defaultValue = "0.002",
            description = "Of Adam for the generator, > 0; falls to a tenth (default: ${DEFAULT-VALUE}).")
    private double generatorLearningRate;

    @Option(
            names = "--head-learning-rate",
            paramLabel = "LR",
            defaultValue = "0.001",
            description = "Of Adam for the discriminator above the aggregation, > 0 (default: ${DEFAULT-VALUE}).")
    private double headLearningRate;

    @Option(
            names = "--feature-matching",
            paramLabel = "W",
            defaultValue = "1",
            description = "Weight of matching the mean noised features beside the adversarial loss, >= 0 (default:"
                    + " ${DEFAULT-VALUE}).")
    private double featureMatching;

    @Option(
            names = "--generator-ema-decay",
            paramLabel = "D",
            defaultValue = "0.99",
            description = "Of the generator's averaged weights, in [0, 1) (default: ${DEFAULT-VALUE}).")
    private double generatorEmaDecay;

    @Option(
            names = "--conv2-every",
            paramLabel = "MU",
            defaultValue = "0",
            description =
                    "Aggregates between two private steps of conv2, >= 1; 0 leaves conv2 random and all of ε to the"
                            + " aggregates (default: ${DEFAULT-VALUE}).")
    private int conv2Every;

    @Option(
            names = "--conv2-batch",
            paramLabel = "B",
            defaultValue = "0",
            description =
                    "Expected images in a step of conv2, >= 1; 0 for --conv2-every times --batch, at most all images"
                            + " (default: ${DEFAULT-VALUE}).")
    private int conv2Batch;

    @Option(
            names = "--conv2-share",
            paramLabel = "S",
            defaultValue = "0.3",
            description = "Part of ε, in (0, 1), that the steps of conv2 would cost alone; their noise follows from it,"
                    + " then that of the aggregates from the whole (default: ${DEFAULT-VALUE}).")
    private double conv2Share;

    @Option(
            names = "--conv2-clip-norm",
            paramLabel = "C",
            defaultValue = "0.1",
            description = "L2 norm to which an image's gradient of conv2 is clipped, > 0 (default: ${DEFAULT-VALUE}).")
    private double conv2ClipNorm;

    @Option(
            names = "--conv2-learning-rate",
            paramLabel = "LR",
            defaultValue = "0.01",
            description = "Of Adam for conv2, > 0 (default: ${DEFAULT-VALUE}).")
    private double conv2LearningRate;

    @Option(
            names = "--latent",
            paramLabel = "N",
            defaultValue = "32",
            description = "Length of the random vector that an image is made from (default: ${DEFAULT-VALUE}).")
    private int latent;

    @Option(
            names = "--generator-width",
            paramLabel = "N",
            defaultValue = "32",
            description =
                    "Channels of the generator's first feature map, a multiple of 16 (default: ${DEFAULT-VALUE}).")
    private int generatorWidth;

    @Option(
            names = "--conv1-features",
            paramLabel = "N",
            defaultValue = "32",
            description = "Channels after conv1, which stays random (default: ${DEFAULT-VALUE}).")
    private int conv1Features;

    @Option(
            names = "--conv2-features",
            paramLabel = "M",
            defaultValue = "32",
            description =
                    "Channels m after conv2; the aggregates' sensitivity is √m·p at feature maps of edge p (default:"
                            + " ${DEFAULT-VALUE}).")
    private int conv2Features;

    @Option(
            names = "--head-width",
            paramLabel = "N",
            defaultValue = "32",
            description = "Channels after conv3 (default: ${DEFAULT-VALUE}).")
    private int headWidth;

    /**
     * The options of a run.
     *
     * @param batch expected images of an aggregate
     * @param steps number of aggregates
     * @throws org.sapwood.io.UserException naming the first option out of range
     */
    DpafOptions toOptions(
            ImageSource data, double epsilon, OptionalDouble delta, int batch, int steps, OptionalLong seed) {
        return new DpafOptions(
                data,
                epsilon,
                delta,
                batch,
                steps,
                conv2Every,
                conv2Batch,
                conv2Share,
                conv2ClipNorm,
                conv2LearningRate,
                rounds,
                generated,
                generatorLearningRate,
                headLearningRate,
                featureMatching,
                generatorEmaDecay,
                latent,
                generatorWidth,
                conv1Features,
                conv2Features,
                headWidth,
                seed);
    }
}
