package org.sapwood.privacy.ledger;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;
import org.sapwood.io.UserException;

/**
 * An append-only file with one line {@code <event index> <steps spent so far>} per charged step, synced before the
 * step's noise exists. A torn last line belongs to a charge that never returned, so nothing was released for it. The
 * file is locked while open: two processes cannot spend from one budget.
 */
final class SpendingJournal implements AutoCloseable {

    private final Path path;
    private final FileChannel channel;
    private final boolean existed;
    private long length;

    private SpendingJournal(Path path, FileChannel channel, boolean existed) {
        this.path = path;
        this.channel = channel;
        this.existed = existed;
    }

    /**
     * Opens and locks the journal, creating it if it is missing.
     *
     * @throws UserException if it cannot be opened or another process holds it
     */
    static SpendingJournal open(Path path) {
        boolean existed = Files.exists(path);
        try {
            FileChannel channel = FileChannel.open(
                    path, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.READ);
            if (!lock(channel)) {
                channel.close();
                throw new UserException(path + " is in use: another process is running this folder");
            }
            return new SpendingJournal(path, channel, existed);
        } catch (IOException e) {
            throw new UserException("cannot open " + path + ": " + e.getMessage(), e);
        }
    }

    private static boolean lock(FileChannel channel) throws IOException {
        try {
            @Nullable FileLock lock = channel.tryLock();
            return lock != null;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }

    /**
     * The exact number of steps spent by event: the larger of what the document had recorded when it was written and of
     * the journal's lines. Without a journal only the document's upper bound is known.
     */
    int[] replay(LedgerDocument document) {
        if (!existed) {
            return document.spent().clone();
        }
        int[] exact = document.recorded().clone();
        String text = read();
        int complete = text.lastIndexOf('\n') + 1;
        int number = 0;
        for (String line : text.substring(0, complete).lines().toList()) {
            number++;
            String[] parts = line.split(" ", -1);
            int index = parts.length == 2 ? parse(parts[0]) : -1;
            int count = parts.length == 2 ? parse(parts[1]) : -1;
            if (index < 0
                    || index >= exact.length
                    || count < 1
                    || count > document.events().get(index).steps()) {
                throw new UserException(path + " line " + number + " must be '<event index> <steps spent>', got '"
                        + line + "': delete the file to count every step that privacy.json charged ahead as spent");
            }
            exact[index] = Math.max(exact[index], count);
        }
        return exact;
    }

    private static int parse(String text) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            return -1;
        }
    }

    private String read() {
        try {
            return Files.readString(path, StandardCharsets.US_ASCII);
        } catch (IOException e) {
            throw new UserException("cannot read " + path + ": " + e.getMessage(), e);
        }
    }

    void append(int index, int count) {
        ByteBuffer line = ByteBuffer.wrap((index + " " + count + "\n").getBytes(StandardCharsets.US_ASCII));
        long end = length;
        try {
            while (line.hasRemaining()) {
                end += channel.write(line, end);
            }
            channel.force(false);
            length = end;
        } catch (IOException e) {
            // The next line starts at the old length and overwrites what was torn.
            throw new UncheckedIOException("cannot record the privacy budget in " + path, e);
        }
    }

    void clear() {
        try {
            channel.truncate(0);
            channel.force(true);
            length = 0;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot record the privacy budget in " + path, e);
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot close " + path, e);
        }
    }
}
