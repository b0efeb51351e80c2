package org.sapwood.synthesis.dpaf;

import java.util.Arrays;
import java.util.List;
import org.apache.commons.rng.JumpableUniformRandomProvider;
import org.apache.commons.rng.simple.RandomSource;
import org.sapwood.autograd.Parameter;
import org.sapwood.diffusion.Ema;
import org.sapwood.io.RunFolder;
import org.sapwood.io.Safetensors;
import org.sapwood.io.SafetensorsFile;
import org.sapwood.io.SafetensorsWriter;
import org.sapwood.io.UserException;
import org.sapwood.nn.GanConfig;
import org.sapwood.nn.GanFeatures;
import org.sapwood.nn.GanGenerator;
import org.sapwood.nn.GanHead;
import org.sapwood.nn.Weights;

/**
 * The GAN and everything that changes while it trains. Two files per checkpoint hold it: {@code checkpoint-<step>}, the
 * generator with averaged weights, which is what is sampled and released; and {@code optimizer-<step>}, which only
 * {@code resume} needs. Noised aggregates are in the latter; nothing without noise is in either.
 */
final class DpafModel {
    private static final String COUNTERS = "counters";
    private static final String AVERAGED = "generator.averaged";
    private static final String AGGREGATES = "aggregates";
    private static final String AGGREGATE_NOISE = "aggregate_noise";

    private final GanConfig config;
    private final GanGenerator generator;
    private final GanFeatures features;
    private final GanHead head;
    private final Trained trainedGenerator;
    private final Trained trainedHead;
    private final Trained trainedConv2;
    private final double emaDecay;
    private Ema averaged;
    private long rounds;

    /** A GAN with random weights. */
    DpafModel(GanConfig config, double emaDecay, long seed) {
        this.config = config;
        this.emaDecay = emaDecay;
        generator = new GanGenerator(config);
        features = new GanFeatures(config);
        head = new GanHead(config);
        JumpableUniformRandomProvider streams =
                (JumpableUniformRandomProvider) RandomSource.XO_SHI_RO_256_PP.create(seed);
        generator.initialize(streams.jump());
        features.initialize(streams.jump());
        head.initialize(streams.jump());
        trainedGenerator = new Trained("generator", generator.parameters().trainable(), 0.5);
        trainedHead = new Trained("head", head.parameters().trainable(), 0.5);
        features.parameters().trainOnly(GanFeatures::isConv2);
        trainedConv2 = new Trained("conv2", features.parameters().trainable(), 0.5);
        averaged = new Ema(trainedGenerator.weights(), emaDecay, true);
    }

    GanConfig config() {
        return config;
    }

    GanGenerator generator() {
        return generator;
    }

    GanFeatures features() {
        return features;
    }

    GanHead head() {
        return head;
    }

    Trained trainedGenerator() {
        return trainedGenerator;
    }

    Trained trainedHead() {
        return trainedHead;
    }

    Trained trainedConv2() {
        return trainedConv2;
    }

    /** The generator's averaged weights. */
    Ema averaged() {
        return averaged;
    }

    /** Updates of the generator so far. */
    long rounds() {
        return rounds;
    }

    void countRound() {
        rounds++;
    }

    /** Weights of generator, upper discriminator and conv2. */
    int size() {
        return trainedGenerator.size() + trainedHead.size() + trainedConv2.size();
    }

    /**
     * Writes a checkpoint and removes those before the last two.
     *
     * @param step aggregates asked for so far
     * @param buffer the aggregates that are still of use
     */
    void save(RunFolder folder, long step, AggregateBuffer buffer) {
        SafetensorsWriter writer = new SafetensorsWriter();
        for (Parameter parameter : features.parameters().all()) {
            if (!GanFeatures.isConv2(parameter.name())) {
                Weights.put(
                        writer, parameter.name(), parameter, parameter.value().toArray());
            }
        }
        trainedGenerator.write(writer);
        trainedHead.write(writer);
        trainedConv2.write(writer);
        writer.f32(AVERAGED, new int[] {trainedGenerator.size()}, averaged.values());
        writer.i64(COUNTERS, new int[] {2}, new long[] {rounds, averaged.updates()});
        List<NoisedAggregates> kept = buffer.all();
        int length = config.classes() * config.featureLength();
        float[] aggregates = new float[kept.size() * length];
        float[] noise = new float[kept.size()];
        for (int i = 0; i < noise.length; i++) {
            System.arraycopy(kept.get(i).values(), 0, aggregates, i * length, length);
            noise[i] = (float) kept.get(i).noise();
        }
        writer.f32(AGGREGATES, new int[] {noise.length, length}, aggregates);
        writer.f32(AGGREGATE_NOISE, new int[] {noise.length}, noise);
        writer.write(folder.optimizer(step));

        trainedGenerator.parameters().write(averaged.values());
        generator.write(folder.checkpoint(step));
        trainedGenerator.parameters().write(trainedGenerator.weights());
        folder.dropOldCheckpoints();
    }

    /**
     * Continues from the newest checkpoint of {@code folder}; without one, stays at the start.
     *
     * @param buffer receives the aggregates that were kept
     * @throws UserException if its files do not fit this model
     */
    void restore(RunFolder folder, AggregateBuffer buffer) {
        folder.newestCheckpoint()
                .ifPresent(newest -> restore(Safetensors.read(folder.optimizer(newest.step())), buffer));
    }

    private void restore(SafetensorsFile file, AggregateBuffer buffer) {
        for (Parameter parameter : features.parameters().all()) {
            if (!GanFeatures.isConv2(parameter.name())) {
                int[] shape =
                        parameter.layout().diskShape(parameter.value().shape()).toArray();
                Weights.setDiskValues(
                        parameter,
                        file.require(parameter.name())
                                .requireShape(shape)
                                .requireFinite()
                                .toFloats());
            }
        }
        trainedGenerator.read(file);
        trainedHead.read(file);
        trainedConv2.read(file);
        long[] counters = file.require(COUNTERS).requireShape(2).toLongs();
        rounds = counters[0];
        float[] values = file.require(AVERAGED)
                .requireShape(trainedGenerator.size())
                .requireFinite()
                .toFloats();
        averaged = new Ema(values, emaDecay, true, counters[1]);
        float[] noise = file.require(AGGREGATE_NOISE).requireFinite().toFloats();
        int length = config.classes() * config.featureLength();
        float[] aggregates = file.require(AGGREGATES)
                .requireShape(noise.length, length)
                .requireFinite()
                .toFloats();
        for (int i = 0; i < noise.length; i++) {
            float[] one = Arrays.copyOfRange(aggregates, i * length, (i + 1) * length);
            buffer.add(new NoisedAggregates(one, noise[i], config));
        }
    }

    /** Ends the training: the generator then holds its averaged weights. */
    void finish() {
        trainedGenerator.parameters().write(averaged.values());
    }
}
