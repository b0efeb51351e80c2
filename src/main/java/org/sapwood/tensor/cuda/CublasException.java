package org.sapwood.tensor.cuda;

import org.sapwood.tensor.DeviceException;

/** A call of cuBLAS failed; the message names the call, its status and what it was about. */
public final class CublasException extends DeviceException {
    private static final long serialVersionUID = 1;

    private final int status;

    CublasException(int status, String statusName, String call, String about) {
        super(call + " failed: " + statusName + " (" + about + ")");
        this.status = status;
    }

    /** The {@code cublasStatus_t}. */
    public int status() {
        return status;
    }
}
