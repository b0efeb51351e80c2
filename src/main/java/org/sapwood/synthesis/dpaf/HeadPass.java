package org.sapwood.synthesis.dpaf;

import org.sapwood.autograd.CrossEntropyOp;
import org.sapwood.autograd.ParameterVector;
import org.sapwood.autograd.SumSink;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Variable;
import org.sapwood.nn.GanConfig;
import org.sapwood.nn.GanHead;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Indices;

/** The upper discriminator with its loss, over a fixed number of aggregates at a time. */
final class HeadPass implements AutoCloseable {
    private final Backend backend;
    private final int rows;
    private final ParameterVector weights;
    private final Tape tape;
    private final Variable aggregates;
    private final Indices labels;
    private final SumSink sink;

    /** @param rows aggregates at a time */
    HeadPass(Backend backend, GanConfig config, GanHead head, int rows) {
        this.backend = backend;
        this.rows = rows;
        weights = head.parameters().trainable();
        Arena arena = new Arena(backend);
        tape = Tape.forTraining(backend, arena);
        aggregates = tape.differentiableInput(rows, config.featureEdge() * config.featureEdge(), config.features());
        labels = new Indices(rows);
        CrossEntropyOp.crossEntropy(tape, head.forward(tape, aggregates), labels, 1f / rows);
        tape.seal();
        sink = new SumSink(backend, arena, weights, rows);
    }

    ParameterVector weights() {
        return weights;
    }

    /**
     * The gradient of the mean loss in the aggregates.
     *
     * @param input [rows, p², m]
     * @param classes label of each row
     * @param firstLabel added to every label: 0 for real, K for generated
     * @param inputGradient receives [rows, p², m]
     */
    void gradients(float[] input, int[] classes, int firstLabel, float[] inputGradient) {
        replay(input, classes, firstLabel);
        backend.download(aggregates.gradient(), inputGradient, 0);
    }

    /** Adds the gradient of the mean loss in the weights to {@code weightGradient}. */
    void addWeightGradient(float[] input, int[] classes, int firstLabel, float[] weightGradient) {
        replay(input, classes, firstLabel);
        float[] row = new float[weights.size()];
        backend.download(sink.matrix(), row, 0);
        for (int i = 0; i < row.length; i++) {
            weightGradient[i] += row[i];
        }
    }

    private void replay(float[] input, int[] classes, int firstLabel) {
        for (int i = 0; i < rows; i++) {
            labels.values()[i] = firstLabel + classes[i];
        }
        backend.upload(input, 0, aggregates.value());
        tape.forward();
        sink.clear();
        tape.backward(sink);
        sink.finish();
    }

    @Override
    public void close() {
        backend.close();
    }
}
