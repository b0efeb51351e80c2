package org.sapwood.data;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.sapwood.io.IoReasons;
import org.sapwood.io.UserException;

/**
 * Opens an image set of any format: the content decides, not an option. A file may be IDX (plain or gzip), a zip of
 * class folders, a NumPy archive ({@code .npz}) or CIFAR binary ({@code .bin}); a folder may hold one pair of IDX files, the CIFAR batches or class
 * folders.
 */
public final class ImageSets {
    private static final int SNIFFED_BYTES = 4;

    private ImageSets() {}

    /**
     * Opens one set.
     *
     * @param path a file or folder of a known format
     * @param options what to do to the images
     * @return the set, at least one image
     * @throws UserException when it cannot be read, is damaged, holds no image, or holds images of several sizes and
     *     the options do not make them one; the message names the file, what was found and the fix
     */
    public static ImageSet open(Path path, ReadOptions options) {
        return open(List.of(path), options);
    }

    /**
     * Opens several folders or archives of class folders as one set: classes of the same path become one class, and of
     * files with the same path and the same bytes only one is kept (Omniglot's two small sets share alphabets).
     *
     * @param paths one source of any format, or several folders or archives of class folders
     * @param options what to do to the images
     * @return the set, at least one image
     * @throws UserException as for {@link #open(Path, ReadOptions)}
     */
    public static ImageSet open(List<Path> paths, ReadOptions options) {
        if (paths.isEmpty()) {
            throw new UserException("no image set given; expected a file or folder");
        }
        try {
            if (paths.size() == 1) {
                return openOne(paths.getFirst(), options);
            }
            for (Path path : paths) {
                if (format(path) != Format.CLASS_FOLDERS) {
                    throw new UserException(path + " cannot be merged with others:"
                            + " only folders and zip archives of class folders can");
                }
            }
            return ClassFolders.read(paths, options);
        } catch (IOException e) {
            throw new UserException("cannot read " + describe(paths) + ": " + IoReasons.of(e), e);
        }
    }

    private enum Format {
        IDX,
        CIFAR,
        NPZ,
        CLASS_FOLDERS
    }

    private static ImageSet openOne(Path path, ReadOptions options) throws IOException {
        return switch (format(path)) {
            case IDX -> IdxFiles.read(path, options);
            case CIFAR -> CifarFiles.read(path, options);
            case NPZ -> NpzFiles.read(path, options);
            case CLASS_FOLDERS -> ClassFolders.read(List.of(path), options);
        };
    }

    private static Format format(Path path) throws IOException {
        if (Files.isDirectory(path)) {
            try (Stream<Path> entries = Files.list(path)) {
                List<Path> files = entries.filter(Files::isRegularFile).toList();
                if (files.stream().anyMatch(CifarFiles::isBatch)) {
                    return Format.CIFAR;
                }
                return files.stream().anyMatch(IdxFiles::isImagesFile) ? Format.IDX : Format.CLASS_FOLDERS;
            }
        }
        byte[] begin;
        try (InputStream in = Files.newInputStream(path)) {
            begin = in.readNBytes(SNIFFED_BYTES);
        }
        String hex = HexFormat.of().formatHex(begin);
        if (hex.startsWith("504b0304") || hex.startsWith("504b0506")) {
            return NpzFiles.hasName(path) ? Format.NPZ : Format.CLASS_FOLDERS;
        }
        if (CifarFiles.hasBinaryName(path)) {
            return Format.CIFAR;
        }
        boolean idxName = IdxFiles.isImagesFile(path);
        if (hex.startsWith("0000") || hex.startsWith("1f8b") || idxName) {
            return Format.IDX;
        }
        throw new UserException(path + " begins with the bytes " + (hex.isEmpty() ? "(none)" : hex)
                + "; expected an IDX images file (00000803, or 1f8b for gzip), a zip archive (504b0304),"
                + " a CIFAR .bin file, or a folder");
    }

    private static String describe(List<Path> paths) {
        return paths.size() == 1 ? paths.getFirst().toString() : paths.toString();
    }

    /** The last part of a path in lower case, for matching names. */
    static String lowerName(Path path) {
        return String.valueOf(path.getFileName()).toLowerCase(Locale.ROOT);
    }
}
