package org.sapwood.autograd;

import java.util.List;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Indices;
import org.sapwood.tensor.Shape;

/** Looks up one row of a table per sample. */
public final class EmbeddingOp extends Operation {
    private final Parameter table;
    private final Indices indices;
    private final boolean trains;

    private EmbeddingOp(Tape tape, Parameter table, Indices indices, Variable y) {
        super(List.of(), y);
        this.table = table;
        this.indices = indices;
        this.trains = tape.trains(table);
    }

    /**
     * Records the look-up.
     *
     * @param table [V, C]
     * @param indices one row per sample; its content may change between replays and must stay in [0, V)
     * @return [B, 1, C]
     */
    public static Variable embedding(Tape tape, Parameter table, Indices indices) {
        Variable y = tape.output(Shape.of(indices.length(), 1, table.value().dim(1)), tape.trains(table));
        return tape.record(new EmbeddingOp(tape, table, indices, y));
    }

    @Override
    List<Variable> saved() {
        return List.of();
    }

    @Override
    void forward(Backend backend) {
        backend.embedding(table.value(), indices, output().value());
    }

    @Override
    void backward(Backend backend, GradientSink sink) {
        if (trains) {
            sink.embedding(table, indices, output().gradient());
        }
    }
}
