package org.sapwood.nn;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Variable;

/** What may stand behind a resnet of a {@link UNet}: attention among the pixels of a feature map, in some form. */
sealed interface SpatialAttention extends Module permits Attention, Transformer2d {
    /** Every matrix in it. */
    List<Adaptable> matrices();

    /**
     * @param x [B, T, C] with T = height · width
     * @param context class tokens [B, S, D], or null where the model has none
     * @return the same shape as x
     */
    FeatureMap forward(Tape tape, FeatureMap x, @Nullable Variable context);
}
