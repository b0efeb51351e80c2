package org.sapwood.autograd;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Shape;
import org.sapwood.tensor.Tensor;

/** y = x·Wᵀ + bias on every token, optionally with a low-rank adapter on W. */
public final class LinearOp extends Operation {
    private final Variable x;
    private final Parameter weight;
    private final @Nullable Parameter bias;
    private final @Nullable LoraFactors lora;
    private final boolean trainsWeight;
    private final boolean trainsBias;
    private final boolean trainsA;
    private final boolean trainsB;
    private @Nullable Tensor xa;
    private @Nullable Tensor dyb;

    private LinearOp(
            Tape tape, Variable x, Parameter weight, @Nullable Parameter bias, @Nullable LoraFactors lora, Variable y) {
        super(List.of(x), y);
        this.x = x;
        this.weight = weight;
        this.bias = bias;
        this.lora = lora;
        this.trainsWeight = tape.trains(weight);
        this.trainsBias = bias != null && tape.trains(bias);
        this.trainsA = lora != null && tape.trains(lora.a());
        this.trainsB = lora != null && tape.trains(lora.b());
    }

    /**
     * Records y = x·Wᵀ + bias (+ s·(x·Aᵀ)·Bᵀ).
     *
     * @param x [B, T, in]
     * @param weight [out, in]
     * @param bias [out]
     * @param lora factors for the same matrix
     * @return [B, T, out]
     */
    public static Variable linear(
            Tape tape, Variable x, Parameter weight, @Nullable Parameter bias, @Nullable LoraFactors lora) {
        int out = weight.value().dim(0);
        Shapes.require(x.shape().rank() == 3 && x.dim(-1) == weight.value().dim(1), "linear", x, weight);
        if (bias != null) {
            Shapes.require(bias.size() == out, "linear bias", x, bias);
        }
        boolean differentiable = x.requiresGradient() || tape.trains(weight) || (bias != null && tape.trains(bias));
        if (lora != null) {
            Shapes.require(lora.a().value().dim(1) == x.dim(-1), "LoRA", x, lora.a());
            Shapes.require(lora.b().value().dim(0) == out, "LoRA", x, lora.b());
            differentiable |= tape.trains(lora.a()) || tape.trains(lora.b());
        }
        Variable y = tape.output(Shape.of(x.dim(0), x.dim(1), out), differentiable);
        return tape.record(new LinearOp(tape, x, weight, bias, lora, y));
    }

    @Override
    List<Variable> saved() {
        return trainsWeight || trainsA ? List.of(x) : List.of();
    }

    @Override
    List<WeightUse> weightUses() {
        List<WeightUse> uses = new ArrayList<>();
        int tokens = x.dim(1);
        int out = output().dim(-1);
        uses.add(new WeightUse(weight, tokens, x.dim(-1), out, trainsWeight));
        if (lora != null) {
            uses.add(new WeightUse(lora.a(), tokens, x.dim(-1), lora.rank(), trainsA));
            uses.add(new WeightUse(lora.b(), tokens, lora.rank(), out, trainsB));
        }
        return uses;
    }

    @Override
    void allocate(Arena arena) {
        if (lora != null) {
            xa = arena.allocate(x.dim(0), x.dim(1), lora.rank());
            dyb = arena.allocate(x.dim(0), x.dim(1), lora.rank());
        }
    }

    @Override
    void forward(Backend backend) {
        backend.linear(x.value(), weight.value(), bias == null ? null : bias.value(), output().value());
        if (lora != null && xa != null) {
            backend.lora(x.value(), lora.a().value(), lora.b().value(), lora.scale(), xa, output().value());
        }
    }

    @Override
    void backward(Backend backend, GradientSink sink) {
        Tensor dy = output().gradient();
        Tensor dx = x.requiresGradient() ? x.gradient() : null;
        if (dx != null) {
            backend.linearBackwardInput(dy, weight.value(), dx, accumulates(0));
        }
        if (trainsWeight) {
            sink.weight(weight, x.value(), dy, 1f);
        }
        if (trainsBias && bias != null) {
            sink.bias(bias, dy);
        }
        if (lora != null && xa != null && dyb != null) {
            if (dx != null || trainsA) {
                backend.loraBackwardInput(dy, lora.a().value(), lora.b().value(), lora.scale(), dyb, dx);
            }
            if (trainsA) {
                sink.weight(lora.a(), x.value(), dyb, 1f);
            }
            if (trainsB) {
                sink.weight(lora.b(), xa, dy, lora.scale());
            }
        }
    }
}
