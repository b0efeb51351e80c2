package org.sapwood.tensor.cuda;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which libraries could take work over from the project's kernels, and which does. Probed when first asked for, once;
 * the reason for a refusal is kept.
 */
public final class Providers {
    private static CublasSearch.@Nullable Result cublas;

    private Providers() {}

    /**
     * One provider as it stands here.
     *
     * @param kind what it provides: {@code products}
     * @param name as in the system property that chooses it
     * @param usable whether it can be chosen
     * @param detail what it is and how it is chosen, or why it cannot be
     */
    public record Provider(String kind, String name, boolean usable, String detail) {
        /** One line, such as {@code "products own: in use"}. */
        @Override
        public String toString() {
            return kind + " " + name + ": " + detail;
        }
    }

    /** All that this version knows of; never throws, whatever is missing. */
    public static List<Provider> list() {
        String reason = CudaDriver.unavailable();
        if (reason != null) {
            String detail = "cannot be used without a device";
            return List.of(
                    new Provider("products", MatrixProducts.OWN.key(), false, detail),
                    new Provider("products", MatrixProducts.CUBLAS.key(), false, detail));
        }
        CublasSearch.Result found = cublas(CudaDriver.device());
        CublasLibrary library = found.library();
        return List.of(
                new Provider("products", MatrixProducts.OWN.key(), true, use(MatrixProducts.OWN)),
                library == null
                        ? new Provider("products", MatrixProducts.CUBLAS.key(), false, found.reason())
                        : new Provider(
                                "products",
                                MatrixProducts.CUBLAS.key(),
                                true,
                                library.version() + " at " + library.file() + ", " + use(MatrixProducts.CUBLAS)));
    }

    private static String use(MatrixProducts provider) {
        return MatrixProducts.chosen() == provider
                ? "in use"
                : "can be used: -D" + MatrixProducts.PROPERTY + "=" + provider.key();
    }

    /**
     * The cuBLAS that shall compute products, or null if the project's kernels do.
     *
     * @throws IllegalArgumentException if cuBLAS is asked for and cannot be used, or if the property is wrong
     */
    static @Nullable CublasLibrary chosenCublas(CudaDevice device) {
        if (MatrixProducts.chosen() != MatrixProducts.CUBLAS) {
            return null;
        }
        CublasSearch.Result found = cublas(device);
        CublasLibrary library = found.library();
        if (library == null) {
            throw new IllegalArgumentException(MatrixProducts.PROPERTY + "=" + MatrixProducts.CUBLAS.key()
                    + ", but it cannot be used: " + found.reason());
        }
        return library;
    }

    private static synchronized CublasSearch.Result cublas(CudaDevice device) {
        CublasSearch.Result known = cublas;
        if (known == null) {
            if (device.isEmulated()) {
                known = new CublasSearch.Result(null, "an emulated device has no cuBLAS");
            } else {
                device.use();
                known = CublasSearch.search(driver(device));
            }
            cublas = known;
        }
        return known;
    }

    /** The first number of the CUDA version that the driver supports. */
    private static int driver(CudaDevice device) {
        String version = device.driverVersion();
        return Integer.parseInt(version.substring(0, version.indexOf('.')));
    }
}
