package org.sapwood.synthesis;

import java.util.List;
import java.util.Map;
import org.sapwood.nn.Adaptable;
import org.sapwood.nn.Linear;
import org.sapwood.nn.UNet;

/** Which matrices may carry an adapter, each set containing the one before it. */
public enum CandidateSet {
    /** The projections to_q, to_k, to_v and to_out.0 of every attention, as in the DP-SAPF paper. */
    ATTENTION,
    /** And every other linear layer: of transformers, of the time embedding and of its projections into the resnets. */
    LINEAR,
    /**
     * And every convolution between feature maps, adapted by a rank-r convolution followed by a 1×1 (LoCon). Not the
     * first and the last one: the few coordinates of an adapter at the output took 59 % of the squared gradient norm in
     * a trial on built-in digits, and thereby the budget of all others.
     */
    ALL;

    /** The candidate matrices of {@code model}, by the name of their weight, in the model's order. */
    public List<String> matrices(UNet model) {
        return model.matrices().entrySet().stream()
                .filter(matrix -> includes(matrix.getKey(), matrix.getValue()))
                .map(Map.Entry::getKey)
                .toList();
    }

    private boolean includes(String weight, Adaptable matrix) {
        return switch (this) {
            case ATTENTION -> UNet.inAttentionProjection(weight);
            case LINEAR -> matrix instanceof Linear;
            case ALL -> !weight.equals("conv_in.weight") && !weight.equals("conv_out.weight");
        };
    }
}
