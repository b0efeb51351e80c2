package org.sapwood.tensor;

/** A device refused a call or broke down; the message names the call, what it was about and what the device said. */
public class DeviceException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public DeviceException(String message) {
        super(message);
    }
}
