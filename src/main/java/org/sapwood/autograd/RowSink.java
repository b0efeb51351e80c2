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
 * {@link PerSampleSink} and {@link SumSink} differ only in how many, and {@link BookKeepingSink} leaves some parameters
 * out.
 *
 * <p>Between {@link #clear} and {@link #finish} any number of backward passes may add. The first contribution to a
 * parameter replaces what stood there, later ones add, so that a parameter used twice on the tape has its cross terms in
 * the norm; {@link #finish} zeroes the parameters that nothing contributed to, so that nothing stale survives.
 */
public abstract class RowSink implements ExampleSink {
    private final Backend backend;
    private final ParameterVector parameters;
    private final Tensor matrix;
    private final @Nullable GradientRows[] replacing;
    private final @Nullable GradientRows[] adding;
    private final boolean[] touched;

    /** Rows of all coordinates. */
    RowSink(Backend backend, Tensor matrix, ParameterVector parameters, int samplesPerRow) {
        this(backend, matrix, parameters, parameters.offsets(), samplesPerRow);
    }

    /** @param columns where each parameter's gradient begins in a row; −1 if it is not in the rows */
    RowSink(Backend backend, Tensor matrix, ParameterVector parameters, int[] columns, int samplesPerRow) {
        this.backend = backend;
        this.parameters = parameters;
        this.matrix = matrix;
        int count = columns.length;
        this.replacing = new GradientRows[count];
        this.adding = new GradientRows[count];
        this.touched = new boolean[count];
        for (int i = 0; i < count; i++) {
            if (columns[i] >= 0) {
                replacing[i] = new GradientRows(matrix, columns[i], samplesPerRow, false);
                adding[i] = new GradientRows(matrix, columns[i], samplesPerRow, true);
            }
        }
    }

    final ParameterVector parameters() {
        return parameters;
    }

    /** The gradients, [rows, P], complete after {@link #finish}. */
    @Override
    public final Tensor matrix() {
        return matrix;
    }

    @Override
    public void clear() {
        Arrays.fill(touched, false);
    }

    /** Adds to what the matrix holds from now on, whoever put it there. */
    public final void resume() {
        Arrays.fill(touched, true);
    }

    /** Zeroes the columns of every parameter that received no contribution since {@link #clear}. */
    @Override
    public void finish() {
        for (int i = 0; i < touched.length; i++) {
            GradientRows untouched = touched[i] ? null : replacing[i];
            if (untouched != null) {
                int width = parameters.parameters().get(i).size();
                for (int row = 0; row < matrix.dim(0); row++) {
                    int from = matrix.offset() + row * matrix.dim(1) + untouched.column();
                    backend.fill(new Tensor(Shape.of(width), matrix.storage(), from), 0f);
                }
            }
        }
    }

    private GradientRows target(Parameter parameter) {
        int position = parameters.position(parameter);
        GradientRows target = touched[position] ? adding[position] : replacing[position];
        if (target == null) {
            throw new IllegalStateException("the gradient of " + parameter.name() + " has no place in the rows");
        }
        touched[position] = true;
        return target;
    }

    @Override
    public void weight(Parameter weight, Tensor x, Tensor dy, float alpha) {
        backend.weightGradient(x, dy, alpha, target(weight));
    }

    @Override
    public void convolution(
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
    public final void layerNormScale(Parameter gamma, Tensor x, Tensor statistics, Tensor dy) {
        backend.layerNormScaleGradient(x, statistics, dy, target(gamma));
    }

    @Override
    public final void embedding(Parameter table, Indices indices, Tensor dy) {
        backend.embeddingGradient(indices, table.value().dim(0), dy, target(table));
    }
}
