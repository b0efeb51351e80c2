package org.sapwood.io;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Writes a file so that a reader, or a process started after {@code kill -9} or a power cut, sees the old content or
 * the new one and never a part. The content goes to a temporary file beside the target, is forced to the disk, renamed
 * over the target, and the folder entry is forced too: a rename that is only in the page cache can be lost, and with it
 * a record of spent budget.
 */
public final class AtomicFiles {
    /** Ends the name of every temporary file; {@link RunFolder#resume} removes those a killed process left. */
    static final String TEMPORARY_SUFFIX = ".tmp";

    private static final int BUFFER_BYTES = 1 << 16;
    private static final AtomicLong SEQUENCE = new AtomicLong();

    private AtomicFiles() {}

    /** Produces the content of a file, once, into the stream it is given. */
    @FunctionalInterface
    public interface Content {
        /**
         * Writes the whole content. The stream is buffered and is closed by the caller.
         *
         * @param out where the content goes
         * @throws IOException when writing fails; the target then stays as it was
         */
        void writeTo(OutputStream out) throws IOException;
    }

    /**
     * Replaces or creates {@code target} with {@code content}.
     *
     * @param target the file; its folder must exist
     * @param content all bytes of the file
     * @throws IOException when the file could not be written, with a message that names the path, the reason and, for a
     *     full disk, the fix; the target then stays as it was and no temporary file is left
     */
    public static void write(Path target, byte[] content) throws IOException {
        write(target, out -> out.write(content));
    }

    /**
     * Replaces or creates {@code target} with what {@code content} writes, without holding it in memory.
     *
     * @param target the file; its folder must exist
     * @param content the source of the bytes, called once
     * @throws IOException as for {@link #write(Path, byte[])}
     */
    public static void write(Path target, Content content) throws IOException {
        Path absolute = target.toAbsolutePath();
        Path folder = absolute.getParent();
        Path fileName = absolute.getFileName();
        if (folder == null || fileName == null) {
            throw new IOException("cannot write " + target + ": not the path of a file");
        }
        Path temporary = folder.resolve("." + fileName + "."
                + ProcessHandle.current().pid() + "-" + SEQUENCE.incrementAndGet() + TEMPORARY_SUFFIX);
        try {
            try (FileChannel channel =
                    FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel), BUFFER_BYTES);
                content.writeTo(out);
                out.flush();
                channel.force(true);
            }
            rename(temporary, absolute);
            forceFolder(folder);
        } catch (IOException e) {
            throw new IOException("cannot write " + target + ": " + IoReasons.of(e), e);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    private static void rename(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            throw new IOException("this file system cannot rename atomically; choose a local folder", e);
        }
    }

    /** Forces the rename itself to the disk. Windows cannot open a folder as a channel and needs no such call. */
    private static void forceFolder(Path folder) throws IOException {
        if (folder.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
                channel.force(true);
            }
        }
    }
}
