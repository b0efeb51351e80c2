package org.sapwood.nn;

import org.apache.commons.rng.UniformRandomProvider;
import org.sapwood.autograd.ActivationOp;
import org.sapwood.autograd.ReshapeOp;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Variable;

/**
 * The layers of DPAF's discriminator above the aggregation: conv3 with SiLU and a fully connected layer. It tells 2K
 * things apart, the aggregates of K real classes and of K generated ones (a discriminative classifier, as in arXiv
 * 2107.10060), so that one network serves every class. It never sees anything of an image but a noised aggregate.
 */
public final class GanHead {
    private final GanConfig config;
    private final ParameterSet parameters = new ParameterSet();
    private final Conv2d conv3;
    private final Linear fc;

    /** Layers with all parameters zero, to be initialised or loaded. */
    public GanHead(GanConfig config) {
        this.config = config;
        int edge = config.featureEdge();
        conv3 = new Conv2d(parameters, "conv3", config.features(), config.headWidth(), 3);
        fc = new Linear(parameters, "fc", edge * edge * config.headWidth(), 2 * config.classes());
    }

    public ParameterSet parameters() {
        return parameters;
    }

    /** Gives every parameter a random initial value. */
    public void initialize(UniformRandomProvider rng) {
        conv3.initialize(rng);
        fc.initialize(rng);
    }

    /**
     * Records the layers.
     *
     * @param aggregate [B, p², m], one aggregate of one class for each of B
     * @return logits [B, 1, 2K]; label c is class c of real images, K + c that of generated ones
     */
    public Variable forward(Tape tape, Variable aggregate) {
        FeatureMap h = new FeatureMap(aggregate, config.featureEdge(), config.featureEdge());
        h = conv3.forward(tape, h);
        Variable flat = ReshapeOp.flatten(tape, ActivationOp.silu(tape, h.variable()));
        return fc.forward(tape, flat);
    }
}
