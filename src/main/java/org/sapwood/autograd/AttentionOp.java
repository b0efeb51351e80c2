package org.sapwood.autograd;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Tensor;

/** Multi-head scaled dot-product attention. */
public final class AttentionOp extends Operation {
    private final Variable q;
    private final Variable k;
    private final Variable v;
    private final int heads;
    private @Nullable Tensor logSumExp;
    private @Nullable Tensor unwanted;

    private AttentionOp(Variable q, Variable k, Variable v, int heads, Variable y) {
        super(List.of(q, k, v), y);
        this.q = q;
        this.k = k;
        this.v = v;
        this.heads = heads;
    }

    /**
     * Records softmax(q·kᵀ/√d)·v per head, d = C / heads. The three arguments must be distinct variables.
     *
     * @param q [B, Tq, C]
     * @param k [B, Tk, C]
     * @param v [B, Tk, C]
     * @param heads must divide C
     * @return [B, Tq, C]
     */
    public static Variable attention(Tape tape, Variable q, Variable k, Variable v, int heads) {
        Shapes.require(k.shape().equals(v.shape()), "attention", k, v);
        Shapes.require(q.dim(0) == k.dim(0) && q.dim(2) == k.dim(2), "attention", q, k);
        if (heads < 1 || q.dim(2) % heads != 0) {
            throw new IllegalArgumentException(heads + " heads do not divide " + q.dim(2) + " channels");
        }
        boolean differentiable = q.requiresGradient() || k.requiresGradient() || v.requiresGradient();
        Variable y = tape.output(q.shape(), differentiable);
        return tape.record(new AttentionOp(q, k, v, heads, y));
    }

    @Override
    List<Variable> saved() {
        return List.of(q, k, v, output());
    }

    @Override
    void allocate(Arena arena) {
        logSumExp = arena.allocate(q.dim(0), heads, q.dim(1));
        if (output().requiresGradient() && !(q.requiresGradient() && k.requiresGradient() && v.requiresGradient())) {
            unwanted = arena.allocate(Math.max(q.shape().size(), k.shape().size()));
        }
    }

    private Tensor logSumExp() {
        return Objects.requireNonNull(logSumExp, "allocated when the tape is sealed");
    }

    @Override
    void forward(Backend backend) {
        backend.attention(q.value(), k.value(), v.value(), heads, logSumExp(), output().value());
    }

    @Override
    void backward(Backend backend, GradientSink sink) {
        backend.attentionBackward(
                q.value(),
                k.value(),
                v.value(),
                heads,
                logSumExp(),
                output().value(),
                output().gradient(),
                gradientOrScratch(q),
                accumulates(0),
                gradientOrScratch(k),
                accumulates(1),
                gradientOrScratch(v),
                accumulates(2));
    }

    /** A place for a gradient that nobody wants: the three are computed together. */
    private Tensor gradientOrScratch(Variable variable) {
        if (variable.requiresGradient()) {
            return variable.gradient();
        }
        Tensor scratch = Objects.requireNonNull(unwanted, "allocated when the tape is sealed");
        return new Tensor(variable.shape(), scratch.storage(), scratch.offset());
    }
}
