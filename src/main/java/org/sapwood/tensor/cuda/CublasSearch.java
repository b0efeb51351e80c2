package org.sapwood.tensor.cuda;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The cuBLAS of this machine: the file that {@code sapwood.cuda.cublas} names and no other, or else the newest that the
 * driver supports, found by name where the system looks for libraries ({@code LD_LIBRARY_PATH} included) or in the CUDA
 * toolkits below {@code /usr/local}.
 */
final class CublasSearch {
    /** System property with the path of the library. */
    static final String LIBRARY_PROPERTY = "sapwood.cuda.cublas";

    private static final List<String> NAMES = List.of("libcublas.so.13", "libcublas.so.12");

    private static final Path TOOLKITS = Path.of("/usr/local");

    private CublasSearch() {}

    /**
     * What a search ended with.
     *
     * @param library what was found, or null
     * @param reason why each candidate was refused, empty if a library was found
     */
    record Result(@Nullable CublasLibrary library, String reason) {}

    /**
     * Searches for a library that works on the device whose context is current on this thread.
     *
     * @param driver CUDA version of the driver, its first number
     */
    static Result search(int driver) {
        return search(candidates(System.getProperty(LIBRARY_PROPERTY)), driver);
    }

    /** The first of the candidates, paths or names, that can be opened and works on the device. */
    static Result search(List<String> candidates, int driver) {
        List<String> reasons = new ArrayList<>();
        for (String candidate : candidates) {
            try {
                CublasLibrary library = CublasLibrary.open(candidate);
                if (library.major() > driver) {
                    reasons.add(library.file() + " is cuBLAS " + library.version() + " and the driver supports CUDA "
                            + driver + " only");
                    continue;
                }
                library.destroy(library.create());
                return new Result(library, "");
            } catch (LinkageError | IllegalArgumentException | CublasException e) {
                reasons.add(String.valueOf(e.getMessage()));
            }
        }
        return new Result(null, String.join("; ", reasons));
    }

    /** Where to look, given the property's value: paths that exist, and names that the system may know. */
    static List<String> candidates(@Nullable String path) {
        if (path != null) {
            return List.of(path);
        }
        List<Path> folders = toolkits();
        List<String> candidates = new ArrayList<>();
        for (String name : NAMES) {
            candidates.add(name);
            for (Path folder : folders) {
                Path file = folder.resolve("lib64").resolve(name);
                if (Files.exists(file)) {
                    candidates.add(file.toString());
                }
            }
        }
        return candidates;
    }

    /** {@code /usr/local/cuda} and its siblings with a version. */
    private static List<Path> toolkits() {
        List<Path> folders = new ArrayList<>();
        try (DirectoryStream<Path> found = Files.newDirectoryStream(TOOLKITS, "cuda*")) {
            found.forEach(folders::add);
        } catch (IOException e) {
            // Then there is no toolkit, and the search by name says what is missing.
            return List.of();
        }
        folders.sort(Comparator.naturalOrder());
        return folders;
    }
}
