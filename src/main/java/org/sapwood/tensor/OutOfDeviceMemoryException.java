package org.sapwood.tensor;

/** A device has not the memory that was asked for. */
public final class OutOfDeviceMemoryException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** @param message what was asked for, on one line */
    public OutOfDeviceMemoryException(String message) {
        super(message);
    }

    /**
     * @param device its name
     * @param wanted bytes asked for
     * @param free bytes left
     */
    public OutOfDeviceMemoryException(String device, long wanted, long free) {
        this(device + " has " + (free >> 20) + " MiB of memory left, but " + Math.ceilDiv(wanted, 1L << 20)
                + " MiB more are needed");
    }
}
