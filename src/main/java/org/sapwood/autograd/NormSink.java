package org.sapwood.autograd;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.ConvGeometry;
import org.sapwood.tensor.Indices;
import org.sapwood.tensor.Shape;
import org.sapwood.tensor.Tensor;

/**
 * Squared gradient norms by example and parameter, [examples, parameters], in the order of the parameter vector, for
 * weights of linear layers and convolutions. The gradients themselves are not kept: a device never stores them, and on
 * the host they pass one parameter at a time through a place for the largest.
 *
 * <p>All draws of an example must be in one pass, and every parameter may be used once on the tape: squared norms do not
 * add up.
 */
public final class NormSink implements ExampleSink {
    private final Backend backend;
    private final ParameterVector parameters;
    private final int draws;
    private final Tensor norms;
    private final @Nullable Tensor scratch;
    private final boolean[] touched;

    /**
     * @param examples rows of the matrix
     * @param draws consecutive samples of the batch that belong to one example, ≥ 1
     */
    public NormSink(Backend backend, Arena arena, ParameterVector parameters, int examples, int draws) {
        this.backend = backend;
        this.parameters = parameters;
        this.draws = draws;
        int count = parameters.parameters().size();
        norms = arena.allocate(examples, count);
        touched = new boolean[count];
        int largest =
                parameters.parameters().stream().mapToInt(Parameter::size).max().orElse(0);
        scratch = backend.isDevice() ? null : arena.allocate(Math.multiplyExact(examples, largest));
    }

    @Override
    public Tensor matrix() {
        return norms;
    }

    @Override
    public void clear() {
        Arrays.fill(touched, false);
        backend.fill(norms, 0f);
    }

    @Override
    public void finish() {
        // Norms are complete as they come; those of parameters without a gradient are 0.
    }

    @Override
    public void weight(Parameter weight, Tensor x, Tensor dy, float alpha) {
        backend.weightGradientNorms(x, dy, alpha, draws, norms, column(weight), scratchFor(weight));
    }

    @Override
    public void convolution(
            Parameter weight, Tensor x, Tensor dy, ConvGeometry geometry, @Nullable Tensor dx, boolean accumulate) {
        if (dx != null) {
            backend.conv2dBackwardInput(dy, weight.value(), geometry, dx, accumulate);
        }
        backend.convWeightGradientNorms(x, dy, geometry, draws, norms, column(weight), scratchFor(weight));
    }

    private int column(Parameter weight) {
        int column = parameters.position(weight);
        if (touched[column]) {
            throw new IllegalStateException("parameter " + weight.name() + " is used twice on the tape, and the norm of"
                    + " its gradient is not the sum of two norms");
        }
        touched[column] = true;
        return column;
    }

    private @Nullable Tensor scratchFor(Parameter weight) {
        return scratch == null
                ? null
                : new Tensor(Shape.of(norms.dim(0), weight.size()), scratch.storage(), scratch.offset());
    }

    @Override
    public void bias(Parameter bias, Tensor dy) {
        throw notAMatrix(bias);
    }

    @Override
    public void groupNorm(
            @Nullable Parameter gamma,
            @Nullable Parameter beta,
            Tensor x,
            Tensor gammaValue,
            Tensor betaValue,
            int groups,
            boolean silu,
            Tensor statistics,
            Tensor dy,
            @Nullable Tensor dx,
            boolean accumulate) {
        throw new IllegalStateException("norms are taken of the weights of layers, not of a normalisation's");
    }

    @Override
    public void layerNormScale(Parameter gamma, Tensor x, Tensor statistics, Tensor dy) {
        throw notAMatrix(gamma);
    }

    @Override
    public void embedding(Parameter table, Indices indices, Tensor dy) {
        throw notAMatrix(table);
    }

    private static IllegalStateException notAMatrix(Parameter parameter) {
        return new IllegalStateException("norms are taken of the weights of layers, not of " + parameter.name());
    }
}
