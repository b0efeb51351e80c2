package org.sapwood.data;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.sapwood.io.IoReasons;
import org.sapwood.io.UserException;

/** The files of a folder or of a zip archive by relative path with '/' between the parts. Nothing is ever unpacked. */
sealed interface ImageTree extends Closeable {
    /** Most bytes one file may hold after unpacking: an archive of kilobytes can claim any number of gigabytes. */
    int MAX_FILE_BYTES = 64 << 20;

    /** Most files one source may list. */
    int MAX_FILES = 5_000_000;

    /** Relative paths of all files, in no particular order. */
    List<String> files();

    /** The whole content of one of {@link #files}; may be called from several threads. */
    byte[] read(String file);

    /** Names a file for messages. */
    String describe(String file);

    static ImageTree open(Path path) throws IOException {
        return Files.isDirectory(path) ? OfFolder.list(path) : OfZip.list(path);
    }

    private static byte[] bounded(InputStream in, String name) throws IOException {
        byte[] bytes = in.readNBytes(MAX_FILE_BYTES + 1);
        if (bytes.length > MAX_FILE_BYTES) {
            throw new UserException(name + " is larger than " + (MAX_FILE_BYTES >> 20) + " MiB; expected one image");
        }
        return bytes;
    }

    private static List<String> limited(Stream<String> files, Path source) {
        List<String> all = files.limit(MAX_FILES + 1L).toList();
        if (all.size() > MAX_FILES) {
            throw new UserException(source + " lists more than " + MAX_FILES + " files");
        }
        return all;
    }

    /** A folder; links are followed. */
    record OfFolder(Path root, List<String> files) implements ImageTree {
        static OfFolder list(Path root) throws IOException {
            try (Stream<Path> found = Files.walk(root, FileVisitOption.FOLLOW_LINKS)) {
                Stream<String> files = found.filter(Files::isRegularFile).map(file -> relative(root, file));
                return new OfFolder(root, limited(files, root));
            } catch (UncheckedIOException e) {
                throw e.getCause();
            }
        }

        private static String relative(Path root, Path file) {
            Path relative = root.relativize(file);
            return Stream.iterate(0, i -> i + 1)
                    .limit(relative.getNameCount())
                    .map(i -> relative.getName(i).toString())
                    .collect(Collectors.joining("/"));
        }

        @Override
        public byte[] read(String file) {
            try (InputStream in = Files.newInputStream(root.resolve(file))) {
                return bounded(in, describe(file));
            } catch (IOException e) {
                throw new UserException("cannot read " + describe(file) + ": " + IoReasons.of(e), e);
            }
        }

        @Override
        public String describe(String file) {
            return root.resolve(file).toString();
        }

        @Override
        public void close() {}
    }

    /**
     * A zip archive. A top folder of the archive's own name, the habit of many packers, is not part of the paths.
     */
    record OfZip(Path archive, ZipFile zip, String prefix, List<String> files) implements ImageTree {
        static OfZip list(Path archive) throws IOException {
            ZipFile zip = new ZipFile(archive.toFile());
            try {
                String name = String.valueOf(archive.getFileName());
                String top = name.toLowerCase(Locale.ROOT).endsWith(".zip")
                        ? name.substring(0, name.length() - 4) + "/"
                        : name + "/";
                List<String> all = limited(
                        zip.stream().filter(entry -> !entry.isDirectory()).map(ZipEntry::getName), archive);
                String prefix =
                        all.stream().filter(file -> !isClutter(file)).allMatch(file -> file.startsWith(top)) ? top : "";
                List<String> files = all.stream()
                        .filter(file -> file.startsWith(prefix))
                        .map(file -> file.substring(prefix.length()))
                        .toList();
                return new OfZip(archive, zip, prefix, files);
            } catch (RuntimeException e) {
                zip.close();
                throw e;
            }
        }

        @Override
        public byte[] read(String file) {
            ZipEntry entry = zip.getEntry(prefix + file);
            if (entry == null) {
                throw new UserException(describe(file) + " vanished while being read");
            }
            try (InputStream in = zip.getInputStream(entry)) {
                return bounded(in, describe(file));
            } catch (IOException e) {
                throw new UserException(describe(file) + " is damaged: " + e.getMessage(), e);
            }
        }

        @Override
        public String describe(String file) {
            return archive + "!" + prefix + file;
        }

        @Override
        public void close() throws IOException {
            zip.close();
        }
    }

    /** Files that operating systems leave in folders and archives. */
    static boolean isClutter(String file) {
        String name = file.substring(file.lastIndexOf('/') + 1);
        return name.startsWith(".") || file.startsWith("__MACOSX/") || file.startsWith(".") || file.contains("/.");
    }
}
