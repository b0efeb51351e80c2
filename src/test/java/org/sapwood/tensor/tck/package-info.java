/**
 * The backend conformance suite: every primitive of {@link org.sapwood.tensor.Backend} over odd shapes, on every backend
 * that runs here. The scalar backend is held against definitions written in double precision in this package; every
 * other backend is held against the scalar one. A primitive is described once, as {@link org.sapwood.tensor.tck.OpCase}s
 * (operands, call, definition); the laws that all primitives obey are checked by
 * {@link org.sapwood.tensor.tck.BackendConformanceTest} alone.
 */
@NullMarked
package org.sapwood.tensor.tck;

import org.jspecify.annotations.NullMarked;
