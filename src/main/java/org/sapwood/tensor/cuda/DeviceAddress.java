package org.sapwood.tensor.cuda;

import jcuda.driver.CUdeviceptr;

/** A device address in the form that driver calls take. */
final class DeviceAddress {
    /** JCuda lets a pointer begin only at null; the rest is its offset. */
    private static final CUdeviceptr NULL = new CUdeviceptr();

    private DeviceAddress() {}

    static CUdeviceptr of(long address) {
        return NULL.withByteOffset(address);
    }
}
