package org.sapwood.autograd;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.ConvGeometry;
import org.sapwood.tensor.GradientRows;
import org.sapwood.tensor.Indices;
import org.sapwood.tensor.Shape;
import org.sapwood.tensor.Tensor;

/**
 * A sink that materialises gradients as rows of a matrix [rows, P], consecutive samples of the batch sharing a row:
 * {@link PerSampleSink} and {@link SumSink} differ only in how many.
 *
 * <p>Between {@link #clear} and {@link #finish} any number of backward passes may add. The first contribution to a
 * parameter replaces what stood there, later ones add, so that a parameter used twice on the tape has its cross terms in
 * the norm; {@link #finish} zeroes the parameters that nothing contributed to, so that nothing stale survives.
 */
public abstract class RowSink implements ExampleSink {
    private final Backend backend;
    private final ParameterVector parameters;
    private final Tensor matrix;
    private final GradientRows[] replacing;
    private final GradientRows[] adding;
    private final boolean[] touched;

    RowSink(Backend backend, Tensor matrix, ParameterVector parameters, int samplesPerRow) {
        this.backend = backend;
        this.parameters = parameters;
        this.matrix = matrix;
        int count = parameters.parameters().size();
        this.replacing = new GradientRows[count];
        this.adding = new GradientRows[count];
        this.touched = new boolean[count];
        for (int i = 0; i < count; i++) {
            replacing[i] = new GradientRows(matrix, parameters.offset(i), samplesPerRow, false);
            adding[i] = new GradientRows(matrix, parameters.offset(i), samplesPerRow, true);
        }
    }

    /** The gradients, [rows, P], complete after {@link #finish}. */
    @Override
    public final Tensor matrix() {
        return matrix;
    }

    @Override
    public final void clear() {
        Arrays.fill(touched, false);
    }

    /** Adds to what the matrix holds from now on, whoever put it there. */
    public final void resume() {
        Arrays.fill(touched, true);
    }

    /** Zeroes the columns of every parameter that received no contribution since {@link #clear}. */
    @Override
    public final void finish() {
        for (int i = 0; i < touched.length; i++) {
            if (!touched[i]) {
                int width = parameters.parameters().get(i).size();
                for (int row = 0; row < matrix.dim(0); row++) {
                    int from = matrix.offset() + row * matrix.dim(1) + parameters.offset(i);
                    backend.fill(new Tensor(Shape.of(width), matrix.storage(), from), 0f);
                }
            }
        }
    }

    private GradientRows target(Parameter parameter) {
        int position = parameters.position(parameter);
        GradientRows target = touched[position] ? adding[position] : replacing[position];
        touched[position] = true;
        return target;
    }

    @Override
    public final void weight(Parameter weight, Tensor x, Tensor dy, float alpha) {
        backend.weightGradient(x, dy, alpha, target(weight));
    }

    @Override
    public final void convolution(
            Parameter weight, Tensor x, Tensor dy, ConvGeometry geometry, @Nullable Tensor dx, boolean accumulate) {
        GradientRows target = target(weight);
        if (dx == null) {
            backend.convWeightGradient(x, dy, geometry, target);
        } else {
            backend.conv2dBackward(x, dy, weight.value(), geometry, dx, accumulate, target);
        }
    }

    @Override
    public final void bias(Parameter bias, Tensor dy) {
        backend.biasGradient(dy, target(bias));
    }

    @Override
    public final void groupNorm(
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
        GradientRows ofGamma = gamma == null ? null : target(gamma);
        GradientRows ofBeta = beta == null ? null : target(beta);
        if (dx == null) {
            backend.groupNormParameterGradient(x, gammaValue, betaValue, groups, silu, statistics, dy, ofGamma, ofBeta);
        } else {
            backend.groupNormBackward(
                    x, gammaValue, betaValue, groups, silu, statistics, dy, dx, accumulate, ofGamma, ofBeta);
        }
    }

    @Override
    public final void embedding(Parameter table, Indices indices, Tensor dy) {
        backend.embeddingGradient(indices, table.value().dim(0), dy, target(table));
    }
}
