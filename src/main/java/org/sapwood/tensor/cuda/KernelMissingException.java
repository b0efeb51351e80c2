package org.sapwood.tensor.cuda;

import org.sapwood.tensor.DeviceException;

/** A kernel cannot be loaded; the message says why and what mends it. */
public final class KernelMissingException extends DeviceException {
    private static final long serialVersionUID = 1;

    KernelMissingException(String message) {
        super(message);
    }
}
