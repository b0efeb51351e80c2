package org.sapwood.evaluation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.apache.commons.rng.JumpableUniformRandomProvider;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.simple.RandomSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.sapwood.data.Glyphs;
import org.sapwood.data.ImageSet;
import org.sapwood.io.UserException;
import org.sapwood.nn.ClassifierArchitecture;
import org.sapwood.tensor.Backends;

class ClassifierTrainingTest {
    private static final ImageSet DIGITS = Glyphs.generate(Glyphs.Half.SENSITIVE, 1000, 1);
    private static final ImageSet OTHER_DIGITS = Glyphs.generate(Glyphs.Half.SENSITIVE, 500, 2);

    @Test
    void learnsTheBuiltInDigits() {
        TrainedClassifier trained = train(DIGITS, 160, 1, 2);
        double accuracy = accuracy(trained, OTHER_DIGITS);
        assertTrue(accuracy > 0.9, "accuracy " + accuracy);
        assertEquals(accuracy, trained.heldOutAccuracy(), 0.08, "held-out images should tell what the test will");
    }

    @Test
    void sameBitsForAnyNumberOfThreads() {
        TrainedClassifier one = train(DIGITS, 12, 5, 1);
        TrainedClassifier two = train(DIGITS, 12, 5, 2);
        TrainedClassifier three = train(DIGITS, 12, 5, 3);
        assertArrayEquals(weights(one), weights(two));
        assertArrayEquals(weights(one), weights(three));
        assertEquals(one.heldOutAccuracy(), two.heldOutAccuracy());
        assertEquals(one.chosenStep(), two.chosenStep());
    }

    @Test
    void theSeedMatters() {
        assertFalse(Arrays.equals(weights(train(DIGITS, 2, 1, 1)), weights(train(DIGITS, 2, 2, 1))));
    }

    /** The weights returned are those of the chosen step, which here is not the last one, on the images held out. */
    @Test
    void returnsTheChosenWeights() {
        ImageSet few = DIGITS.subset(0, 80);
        ClassifierTrainingOptions options = new ClassifierTrainingOptions(20, 20, 16, 0.03, 0.5);
        UniformRandomProvider sameStream =
                ((JumpableUniformRandomProvider) RandomSource.XO_SHI_RO_256_PP.create(3L)).jump();
        ImageSet heldOut = HeldOutSplit.of(few, 0.5, sameStream).heldOut();
        try (Workers workers = new Workers(Backends.choose(), 1)) {
            TrainedClassifier trained = ClassifierTraining.train(few, ClassifierArchitecture.CNN, options, 3, workers);
            assertTrue(trained.chosenStep() < 20, "the last step happens to be the best; take another seed");
            assertEquals(trained.heldOutAccuracy(), accuracy(trained, heldOut));
        }
    }

    @Test
    void twoImagesAreTheLeast() {
        train(DIGITS.subset(0, 2), 1, 1, 1);
        ImageSet one = DIGITS.subset(0, 1);
        UserException e = assertThrows(UserException.class, () -> train(one, 1, 1, 1));
        assertTrue(e.getMessage().contains("at least 2 images"), e.getMessage());
    }

    /** Two steps of every network: the same bits for any number of threads. */
    @ParameterizedTest
    @EnumSource(names = {"RESNET", "WRN"})
    void residualNetworksHaveTheSameBitsForAnyNumberOfThreads(ClassifierArchitecture architecture) {
        float[] one = weights(train(DIGITS.subset(0, 100), architecture, 2, 5, 1));
        assertArrayEquals(one, weights(train(DIGITS.subset(0, 100), architecture, 2, 5, 3)));
        assertFalse(Arrays.equals(one, weights(train(DIGITS.subset(0, 100), architecture, 1, 5, 1))));
    }

    static TrainedClassifier train(ImageSet images, int steps, long seed, int threads) {
        return train(images, ClassifierArchitecture.CNN, steps, seed, threads);
    }

    private static TrainedClassifier train(
            ImageSet images, ClassifierArchitecture architecture, int steps, long seed, int threads) {
        try (Workers workers = new Workers(Backends.choose(), threads)) {
            ClassifierTrainingOptions options =
                    ClassifierTrainingOptions.standard().withSteps(steps);
            return ClassifierTraining.train(images, architecture, options, seed, workers);
        }
    }

    private static double accuracy(TrainedClassifier trained, ImageSet images) {
        try (Workers workers = new Workers(Backends.choose(), 2);
                ClassifierInference inference = new ClassifierInference(workers, trained.classifier())) {
            return inference.run(images).accuracy(images);
        }
    }

    private static float[] weights(TrainedClassifier trained) {
        var vector = trained.classifier().parameters().trainable();
        float[] weights = new float[vector.size()];
        vector.read(weights);
        return weights;
    }
}
