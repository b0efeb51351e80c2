/**
 * Neural network building blocks recorded onto a tape, and the models made of them. Parameter names follow diffusers, so
 * that a checkpoint, a selection of matrices and a paper's table speak of the same weights.
 */
@NullMarked
package org.sapwood.nn;

import org.jspecify.annotations.NullMarked;
