package org.sapwood.tensor.tck;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Shape;

/**
 * One call of one primitive: its operands, how to make the call, and what the result means in double precision.
 *
 * <p>Tolerance of a result against the expected e: ε·√length·(2·rms + |e| + slack·factor), with ε = 2⁻²³, rms the root
 * mean square of the whole output, {@code length} the number of terms in a reduction, {@code slack} the size of a result
 * where all its values may cancel, and {@code factor} that of the {@link Data}; to which {@link #underflow} is added.
 * Length 0 asks for equality.
 */
final class OpCase {
    private final String op;
    private final String description;
    private final int samples;
    private final List<Operand> operands = new ArrayList<>();
    private int length;
    private double slack;
    private BiConsumer<Backend, Arguments> call = (backend, arguments) -> {};
    private @Nullable Consumer<Definition> definition;
    private boolean definedForNonFinite = true;
    private boolean nonFiniteMaySpread;
    private double amplification = 1;

    /**
     * A case without operands yet.
     *
     * @param samples extent of the batch axis, or 0 if the primitive has none
     */
    OpCase(String op, String description, int samples) {
        this.op = op;
        this.description = description;
        this.samples = samples;
    }

    /** An input whose outermost axis is the batch. */
    OpCase perSample(String name, int... extents) {
        return add(name, Operand.Role.INPUT, true, 1, false, null, null, extents);
    }

    /** As {@link #perSample(String, int...)}, with values of standard deviation {@code spread}. */
    OpCase perSampleSpread(String name, double spread, int... extents) {
        return add(name, Operand.Role.INPUT, true, spread, false, null, null, extents);
    }

    /** An input that all samples share, such as a weight. */
    OpCase shared(String name, int... extents) {
        return add(name, Operand.Role.INPUT, false, 1, false, null, null, extents);
    }

    /** A per-sample input that follows from the other inputs. */
    OpCase derived(String name, Function<Data, float[]> derivation, int... extents) {
        return add(name, Operand.Role.INPUT, true, 1, false, null, derivation, extents);
    }

    /** One index in [0, bound) per sample. */
    OpCase indices(String name, int bound) {
        return add(name, Operand.Role.INDICES, true, bound, false, null, null, samples);
    }

    OpCase output(String name, boolean accumulate, int... extents) {
        return add(name, Operand.Role.OUTPUT, true, 1, accumulate, null, null, extents);
    }

    /** An output without a batch axis. */
    OpCase sharedOutput(String name, boolean accumulate, int... extents) {
        return add(name, Operand.Role.OUTPUT, false, 1, accumulate, null, null, extents);
    }

    /** An output in the memory of the input {@code alias}. */
    OpCase aliasedOutput(String name, String alias, int... extents) {
        return add(name, Operand.Role.OUTPUT, true, 1, false, alias, null, extents);
    }

    /** A parameter gradient of {@code coordinates} values per sample. */
    OpCase gradient(String name, int coordinates) {
        return add(name, Operand.Role.GRADIENT, true, 1, false, null, null, samples, coordinates);
    }

    OpCase tolerance(int reductionLength, double absoluteSlack) {
        this.length = reductionLength;
        this.slack = absoluteSlack;
        return this;
    }

    /**
     * Lets a non-finite input reach any output of its sample. For convolution gradients, where a backend may skip the
     * zero padding or multiply with it, and 0·∞ tells which.
     */
    OpCase nonFiniteMaySpread() {
        this.nonFiniteMaySpread = true;
        return this;
    }

    /** Says how much the primitive enlarges what its intermediate results lose below the normal range of floats. */
    OpCase amplification(double newAmplification) {
        this.amplification = newAmplification;
        return this;
    }

    OpCase call(BiConsumer<Backend, Arguments> newCall) {
        this.call = newCall;
        return this;
    }

    OpCase definition(Consumer<Definition> newDefinition) {
        this.definition = newDefinition;
        return this;
    }

    /** A definition by numerical differentiation, which says nothing about NaN and infinities. */
    OpCase finiteDefinition(Consumer<Definition> newDefinition) {
        this.definedForNonFinite = false;
        return definition(newDefinition);
    }

    private OpCase add(
            String name,
            Operand.Role role,
            boolean perSample,
            double spread,
            boolean accumulate,
            @Nullable String alias,
            @Nullable Function<Data, float[]> derivation,
            int... extents) {
        operands.add(new Operand(name, role, perSample, Shape.of(extents), spread, accumulate, alias, derivation));
        return this;
    }

    String op() {
        return op;
    }

    int samples() {
        return samples;
    }

    List<Operand> operands() {
        return operands;
    }

    int length() {
        return length;
    }

    double slack() {
        return slack;
    }

    /** Absolute error that results may have because floats lose precision below their normal range. */
    double underflow() {
        return length * amplification * Float.MIN_VALUE;
    }

    boolean mayNonFiniteSpread() {
        return nonFiniteMaySpread;
    }

    BiConsumer<Backend, Arguments> call() {
        return call;
    }

    /** Elements of all operands together. */
    int size() {
        return operands.stream().mapToInt(operand -> operand.shape().size()).sum();
    }

    boolean isDefined() {
        return definition != null;
    }

    boolean isDefinedForNonFinite() {
        return definition != null && definedForNonFinite;
    }

    boolean hasGradient() {
        return operands.stream().anyMatch(operand -> operand.role() == Operand.Role.GRADIENT);
    }

    /** Seed of this case's data, the same in every run. */
    long seed() {
        return toString().hashCode();
    }

    /** Random operands: normal inputs times {@code factor} (per-sample ones only), and what outputs hold beforehand. */
    Data data(double factor) {
        Random random = new Random(seed());
        Map<String, float[]> values = new LinkedHashMap<>();
        for (Operand operand : operands) {
            float[] array = new float[operand.shape().size()];
            boolean scaled = operand.isInput() && operand.perSample();
            for (int i = 0; i < array.length; i++) {
                array[i] = operand.role() == Operand.Role.INDICES
                        ? random.nextInt((int) operand.spread())
                        : (float) (random.nextGaussian() * operand.spread() * (scaled ? factor : 1));
            }
            values.put(operand.name(), array);
        }
        return new Data(this, values, factor).derive();
    }

    /** The results that the definition gives for {@code data}. */
    Map<String, double[]> expected(Data data) {
        if (definition == null) {
            throw new IllegalStateException(this + " has no definition");
        }
        Definition values = new Definition(data);
        definition.accept(values);
        return values.results();
    }

    @Override
    public String toString() {
        return op + " " + description;
    }
}
