package org.sapwood.evaluation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.commons.rng.JumpableUniformRandomProvider;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.sampling.PermutationSampler;
import org.apache.commons.rng.simple.RandomSource;
import org.sapwood.autograd.Adam;
import org.sapwood.autograd.CrossEntropyOp;
import org.sapwood.autograd.ParameterVector;
import org.sapwood.autograd.SumSink;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Variable;
import org.sapwood.data.ImageSet;
import org.sapwood.nn.Classifier;
import org.sapwood.nn.ClassifierArchitecture;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Indices;

/**
 * Trains a {@link Classifier} on one image set: cross entropy, Adam, a one-cycle learning rate, light augmentation.
 *
 * <p>The weights kept are those of the round that did best on images held out of that same set. The training is given
 * no other images, so a test set cannot influence the choice. It is ordinary, non-private training.
 *
 * <p>The same (images, options, seed) gives the same bits for any number of threads: a step is always cut into the same
 * micro-batches, each with its own random stream, and their gradients are added in their order.
 */
public final class ClassifierTraining {
    private static final double WARM_UP = 0.1;

    private final ImageSet training;
    private final ImageSet heldOut;
    private final ClassifierTrainingOptions options;
    private final Workers workers;
    private final Classifier classifier;
    private final ParameterVector vector;
    private final ShuffledIndices order;
    private final List<Shard> shards = new ArrayList<>();

    private ClassifierTraining(
            ImageSet images,
            ClassifierArchitecture architecture,
            ClassifierTrainingOptions options,
            long seed,
            Workers workers) {
        this.options = options;
        this.workers = workers;
        JumpableUniformRandomProvider streams =
                (JumpableUniformRandomProvider) RandomSource.XO_SHI_RO_256_PP.create(seed);
        HeldOutSplit split = HeldOutSplit.of(images, options.heldOutFraction(), streams.jump());
        training = split.training();
        heldOut = split.heldOut();

        classifier = new Classifier(
                architecture.standard(images.height(), images.width(), images.channels(), images.classCount()));
        classifier.initialize(streams.jump());
        vector = classifier.parameters().trainable();
        order = new ShuffledIndices(PermutationSampler.natural(training.size()), streams.jump());
        for (int i = 0; i < options.batch() / ClassifierTrainingOptions.MICRO_BATCH; i++) {
            shards.add(new Shard(workers.openBackend(), streams.jump()));
        }
    }

    /**
     * Trains a classifier.
     *
     * @param images the only images seen; some are held out to choose the round by
     * @param architecture in its standard size
     * @param seed of the split, the initial weights, the order and the augmentation
     * @return the classifier of the best round: highest accuracy on the held-out images, then lowest loss
     * @throws org.sapwood.io.UserException if there are fewer than two images
     */
    public static TrainedClassifier train(
            ImageSet images,
            ClassifierArchitecture architecture,
            ClassifierTrainingOptions options,
            long seed,
            Workers workers) {
        ClassifierTraining run = new ClassifierTraining(images, architecture, options, seed, workers);
        try (ClassifierInference inference = new ClassifierInference(workers, run.classifier)) {
            return run.run(inference);
        } finally {
            run.shards.forEach(shard -> shard.backend.close());
        }
    }

    private TrainedClassifier run(ClassifierInference inference) {
        Adam adam = new Adam(vector.size());
        float[] weights = new float[vector.size()];
        vector.read(weights);
        float[] gradient = new float[vector.size()];
        int[] batch = new int[options.batch()];

        float[] bestWeights = weights.clone();
        int bestStep = 0;
        double bestAccuracy = -1;
        double bestLoss = Double.POSITIVE_INFINITY;
        for (int round = 1; round <= options.rounds(); round++) {
            int from = roundEnd(round - 1);
            int to = roundEnd(round);
            for (int step = from; step < to; step++) {
                computeGradient(batch, gradient);
                adam.step(weights, gradient, learningRate(step));
                vector.write(weights);
            }
            ClassifierOutputs outputs = inference.run(heldOut);
            double accuracy = outputs.accuracy(heldOut);
            double loss = outputs.meanLoss(heldOut);
            if (accuracy > bestAccuracy || (accuracy == bestAccuracy && loss < bestLoss)) {
                bestAccuracy = accuracy;
                bestLoss = loss;
                bestStep = to;
                System.arraycopy(weights, 0, bestWeights, 0, weights.length);
            }
        }
        vector.write(bestWeights);
        return new TrainedClassifier(classifier, bestStep, bestAccuracy);
    }

    private int roundEnd(int round) {
        return (int) ((long) options.steps() * round / options.rounds());
    }

    /** One cycle: a linear rise over the first tenth of the steps, then half a cosine down to zero. */
    private double learningRate(int step) {
        double progress = (step + 0.5) / options.steps();
        double factor = progress < WARM_UP
                ? progress / WARM_UP
                : (1 + Math.cos(Math.PI * (progress - WARM_UP) / (1 - WARM_UP))) / 2;
        return options.learningRate() * factor;
    }

    private void computeGradient(int[] batch, float[] gradient) {
        for (int i = 0; i < batch.length; i++) {
            batch[i] = order.next();
        }
        workers.forEach(shards.size(), i -> shards.get(i).run(batch, i * ClassifierTrainingOptions.MICRO_BATCH));
        Arrays.fill(gradient, 0f);
        for (Shard shard : shards) {
            for (int j = 0; j < gradient.length; j++) {
                gradient[j] += shard.gradient[j];
            }
        }
    }

    /** One micro-batch of every step, with its own memory and its own random stream. */
    private final class Shard {
        private final Backend backend;
        private final UniformRandomProvider rng;
        private final RandomAffine augmentation;
        private final Tape tape;
        private final Variable x;
        private final Indices labels = new Indices(ClassifierTrainingOptions.MICRO_BATCH);
        private final SumSink sink;
        private final float[] original;
        private final float[] pixels;
        private final float[] gradient;

        Shard(Backend backend, UniformRandomProvider rng) {
            this.backend = backend;
            this.rng = rng;
            augmentation = new RandomAffine(training.height(), training.width(), training.channels());
            Arena arena = new Arena(backend);
            tape = Tape.forTraining(backend, arena);
            x = tape.input(labels.length(), training.height() * training.width(), training.channels());
            CrossEntropyOp.crossEntropy(tape, classifier.forward(tape, x).logits(), labels, 1f / options.batch());
            tape.seal();
            sink = new SumSink(backend, arena, vector, labels.length());
            original = new float[training.imageLength()];
            pixels = new float[labels.length() * original.length];
            gradient = new float[vector.size()];
        }

        void run(int[] batch, int from) {
            for (int slot = 0; slot < labels.length(); slot++) {
                int image = batch[from + slot];
                training.copyImage(image, original, 0);
                augmentation.apply(original, pixels, slot * original.length, rng);
                labels.values()[slot] = training.label(image);
            }
            backend.upload(pixels, 0, x.value());
            tape.forward();
            sink.clear();
            tape.backward(sink);
            sink.finish();
            backend.download(sink.matrix(), gradient, 0);
        }
    }
}
