package org.sapwood.synthesis;

import org.sapwood.autograd.Parameter;
import org.sapwood.autograd.ParameterVector;
import org.sapwood.nn.UNet;

/**
 * Where the label embedders stand among the trained weights, next to each other.
 *
 * @param from first coordinate
 * @param to coordinate after the last; {@code from} if none trains
 */
record LabelSpan(int from, int to) {
    /** The span in {@code parameters}. */
    static LabelSpan of(ParameterVector parameters) {
        int from = 0;
        int to = 0;
        for (Parameter parameter : parameters.parameters()) {
            if (UNet.isLabelEmbedder(parameter.name())) {
                int at = parameters.offset(parameters.position(parameter));
                if (to != 0 && at != to) {
                    throw new IllegalStateException("label embedders must be next to each other among the weights");
                }
                from = to == 0 ? at : from;
                to = at + parameter.size();
            }
        }
        return new LabelSpan(from, to);
    }

    /** Number of coordinates. */
    int length() {
        return to - from;
    }
}
