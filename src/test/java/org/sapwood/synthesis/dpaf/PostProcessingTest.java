package org.sapwood.synthesis.dpaf;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.util.Arrays;
import java.util.OptionalLong;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.core.source64.XoShiRo256PlusPlus;
import org.junit.jupiter.api.Test;
import org.sapwood.data.ImageSet;
import org.sapwood.data.ImageSource;
import org.sapwood.nn.GanConfig;
import org.sapwood.parallel.WorkerPool;
import org.sapwood.privacy.aggregation.BoundedSum;
import org.sapwood.tensor.Backends;

/** Everything behind the aggregates is a function of the noised aggregates alone. */
class PostProcessingTest {
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(location -> !location.contains("Test"))
            .importPackages("org.sapwood.synthesis.dpaf");

    private static final GanConfig CONFIG = TinyGans.config();
    private static final DpafOptions OPTIONS = TinyGans.options(2, 1, OptionalLong.of(1));

    private static NoisedAggregates aggregates(long seed) {
        UniformRandomProvider rng = new XoShiRo256PlusPlus(new long[] {seed, 2, 3, 4});
        float[] values = new float[CONFIG.classes() * CONFIG.featureLength()];
        for (int i = 0; i < values.length; i++) {
            values[i] = rng.nextFloat(-1, 1);
        }
        return new NoisedAggregates(values, 0.2, CONFIG);
    }

    private static void rounds(AdversarialTrainer trainer, AggregateBuffer buffer) {
        for (int i = 0; i < OPTIONS.rounds(); i++) {
            trainer.round(buffer);
        }
    }

    /** Weights after two aggregates and a step of conv2 whose private answer was {@code answer}. */
    private static float[] train(int threads, NoisedAggregates first, NoisedAggregates second, float[] answer) {
        DpafModel model = new DpafModel(CONFIG, 0.9, 11);
        AggregateBuffer buffer = new AggregateBuffer();
        try (WorkerPool pool = new WorkerPool(threads);
                FeatureEngine engine = new FeatureEngine(CONFIG, model.features(), Backends.choose(), pool);
                AdversarialTrainer trainer = new AdversarialTrainer(model, OPTIONS, 5, Backends.choose(), pool)) {
            buffer.add(first);
            rounds(trainer, buffer);
            Directions directions = trainer.directions(buffer.latest());
            float[] gradient = trainer.generatedGradient(engine, directions);
            for (int i = 0; i < gradient.length; i++) {
                gradient[i] += answer[i % answer.length];
            }
            model.trainedConv2().step(gradient, 1e-2);
            buffer.clear();
            buffer.add(second);
            rounds(trainer, buffer);
        }
        float[] generator = model.trainedGenerator().weights();
        float[] conv2 = model.trainedConv2().weights();
        float[] all = Arrays.copyOf(generator, generator.length + conv2.length);
        System.arraycopy(conv2, 0, all, generator.length, conv2.length);
        return all;
    }

    @Test
    void equalNoisedAnswersGiveEqualWeights() {
        float[] answer = {0.1f, -0.2f, 0.3f};
        float[] once = train(1, aggregates(1), aggregates(2), answer);
        assertArrayEquals(once, train(1, aggregates(1), aggregates(2), answer));
        assertArrayEquals(once, train(3, aggregates(1), aggregates(2), answer), "threads changed the weights");
        assertFalse(Arrays.equals(once, train(1, aggregates(1), aggregates(3), answer)), "the aggregate had no effect");
    }

    @Test
    void directionsAreTakenAtTheNoisedAggregates() {
        DpafModel model = new DpafModel(CONFIG, 0.9, 11);
        try (WorkerPool pool = new WorkerPool(1);
                AdversarialTrainer trainer = new AdversarialTrainer(model, OPTIONS, 5, Backends.choose(), pool)) {
            NoisedAggregates aggregates = aggregates(1);
            float[] noisier = aggregates.values();
            for (int i = 0; i < noisier.length; i++) {
                noisier[i] += i % 2 == 0 ? 3 : -3;
            }
            Directions here = trainer.directions(aggregates);
            Directions there = trainer.directions(new NoisedAggregates(noisier, 0.2, CONFIG));
            assertFalse(Arrays.equals(here.real(), there.real()), "the direction ignores the noise");
        }
    }

    /** Planting an image or a sum without noise in the upper half takes one of these types. */
    @Test
    void upperHalfCannotReachImagesOrSumsWithoutNoise() {
        noClasses()
                .that()
                .haveNameMatching(".*\\.(AdversarialTrainer|HeadPass|GeneratorLane|AggregateBuffer|DpafModel|Trained"
                        + "|Directions|NoisedAggregates)(\\$.*)?")
                .should()
                .dependOnClassesThat()
                .belongToAnyOf(
                        ImageSet.class,
                        ImageSource.class,
                        BoundedSum.class,
                        ExampleSum.class,
                        AggregateMechanism.class,
                        Conv2Mechanism.class)
                .check(CLASSES);
    }

    /** Outside the exact sum itself nobody reads it, and aggregates come from a noised sum or a checkpoint. */
    @Test
    void sumsAreReadOnlyAfterTheirNoise() {
        noClasses().should().callMethod(BoundedSum.class, "units").check(CLASSES);
        noClasses()
                .that()
                .doNotHaveFullyQualifiedName(DpafModel.class.getName())
                .should()
                .callConstructor(NoisedAggregates.class, float[].class, double.class, GanConfig.class)
                .check(CLASSES);
    }
}
