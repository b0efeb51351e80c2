/**
 * The methods of differentially private image synthesis: which parameters train, which private queries are made and in
 * what order, and the trainers that run them.
 */
@NullMarked
package org.sapwood.synthesis;

import org.jspecify.annotations.NullMarked;
