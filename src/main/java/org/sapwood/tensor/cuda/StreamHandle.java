package org.sapwood.tensor.cuda;

import jcuda.driver.CUstream;

/** A stream whose handle can be given to a library that JCuda does not know. */
final class StreamHandle extends CUstream {
    /** The driver's {@code CUstream} as a number, 0 before the stream is created. */
    long address() {
        return getNativePointer();
    }
}
