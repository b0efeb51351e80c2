package org.sapwood.nn;

import org.sapwood.autograd.Tape;

/** A layer with one matrix that maps feature maps to feature maps. */
sealed interface PixelLayer extends Module, Adaptable permits Linear, Conv2d {
    FeatureMap forward(Tape tape, FeatureMap x);
}
