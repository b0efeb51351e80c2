package org.sapwood.io;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Turns an {@link IOException} into the few words a user can act on. */
public final class IoReasons {
    private static final String FULL_DISK_FIX = ": free some space and try again";

    private IoReasons() {}

    /**
     * Says in a few words why an operation on a file failed. {@code java.nio} puts only the path in the message of its
     * commonest exceptions, so the class of the exception has to speak.
     *
     * @param failure what was thrown
     * @return the reason and, where there is one, the fix; never empty
     */
    public static String of(IOException failure) {
        return switch (failure) {
            case NoSuchFileException _ -> "no such file or folder";
            case AccessDeniedException _ -> "permission denied";
            case FileAlreadyExistsException _ -> "a file of that name already exists";
            case NotDirectoryException _ -> "not a folder";
            case DirectoryNotEmptyException _ -> "the folder is not empty";
            case FileSystemException system -> orName(system.getReason(), system);
            default -> orName(failure.getMessage(), failure);
        };
    }

    private static String orName(@Nullable String reason, IOException failure) {
        if (reason == null || reason.isBlank()) {
            return failure.getClass().getSimpleName();
        }
        String lower = reason.toLowerCase(Locale.ROOT);
        boolean full = lower.contains("no space left") || lower.contains("disk quota");
        return full && !reason.endsWith(FULL_DISK_FIX) ? reason + FULL_DISK_FIX : reason;
    }
}
