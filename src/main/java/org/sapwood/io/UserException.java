package org.sapwood.io;

import java.io.Serial;
import java.util.Objects;

/**
 * A failure that the user caused and can fix: a bad file, a bad option, a full disk. The message stands alone on one
 * line: it names the value, what was expected and the fix. The command line prints it without a stack trace and exits
 * with code 1.
 */
public final class UserException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    /**
     * Creates the failure with the line shown to the user.
     *
     * @param message the whole story on one line
     */
    public UserException(String message) {
        super(message);
    }

    /**
     * Creates the failure with the line shown to the user and what lay underneath.
     *
     * @param message the whole story on one line
     * @param cause what failed, for a debugger; never shown by default
     */
    public UserException(String message, Throwable cause) {
        super(message, cause);
    }

    /** Never null: the message is the reason for this class. */
    @Override
    public String getMessage() {
        return Objects.requireNonNull(super.getMessage());
    }
}
