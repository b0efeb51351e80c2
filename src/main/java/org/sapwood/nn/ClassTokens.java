package org.sapwood.nn;

import org.apache.commons.rng.UniformRandomProvider;
import org.sapwood.autograd.DiskLayout;
import org.sapwood.autograd.EmbeddingOp;
import org.sapwood.autograd.Parameter;
import org.sapwood.autograd.ReshapeOp;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Variable;
import org.sapwood.tensor.Indices;

/**
 * A few tokens for each class, for transformers to look at; what a text encoder is to Stable Diffusion. The parameter
 * {@code class_tokens.weight} is [classes, S·D], a class's tokens end to end.
 */
final class ClassTokens implements Module {
    static final String NAME = "class_tokens.weight";

    private final Parameter table;
    private final int tokens;

    ClassTokens(ParameterSet set, int classes, TransformerConfig config) {
        tokens = config.tokens();
        table = set.add(NAME, DiskLayout.SAME, classes, tokens * config.tokenChannels());
    }

    @Override
    public void initialize(UniformRandomProvider rng) {
        Initialization.normal(table, 1, rng);
    }

    Parameter table() {
        return table;
    }

    /**
     * @param labels a class per example
     * @return [B, S, D]
     */
    Variable forward(Tape tape, Indices labels) {
        return ReshapeOp.tokens(tape, EmbeddingOp.embedding(tape, table, labels), tokens);
    }
}
