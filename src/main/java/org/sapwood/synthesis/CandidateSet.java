package org.sapwood.synthesis;

import java.util.List;
import org.sapwood.nn.UNet;

/** Which matrices may carry an adapter, each set containing the one before it. */
public enum CandidateSet {
    /** The projections of every attention, as in the DP-SAPF paper. */
    ATTENTION,
    /** And the linear layers of the time embedding and of its projections into the resnets. */
    LINEAR,
    /**
     * And every convolution between feature maps, adapted by a rank-r convolution followed by a 1×1 (LoCon). Not the
     * first and the last one: the few coordinates of an adapter at the output took 59 % of the squared gradient norm in
     * a trial on built-in digits, and thereby the budget of all others.
     */
    ALL;

    /** The candidate matrices of {@code model}, by the name of their weight, in the model's order. */
    public List<String> matrices(UNet model) {
        return model.matrices().keySet().stream().filter(this::includes).toList();
    }

    private boolean includes(String weight) {
        boolean attention = UNet.inAttention(weight);
        boolean time = weight.startsWith("time_embedding.") || weight.contains(".time_emb_proj.");
        return switch (this) {
            case ATTENTION -> attention;
            case LINEAR -> attention || time;
            case ALL -> !weight.equals("conv_in.weight") && !weight.equals("conv_out.weight");
        };
    }
}
