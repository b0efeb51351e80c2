package org.sapwood.tensor;

import java.lang.reflect.InvocationTargetException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.scalar.ScalarBackend;

/**
 * Which backends exist, which can run here, and the choice among them.
 *
 * <p>The choice comes from the command line or from {@code -Dsapwood.backend=auto|scalar|simd|cuda}. {@code auto} takes
 * the fastest that runs and keeps the reason for every rejection. Asking for a backend that cannot run is an error, never a
 * silent fallback.
 */
public final class Backends {
    /** System property that names the backend; {@code auto} when absent. */
    public static final String PROPERTY = "sapwood.backend";

    /** Backends that need an optional module or library: loaded by name, so that a JVM without it never links them. */
    private static final String SIMD_CLASS = "org.sapwood.tensor.simd.SimdBackend";

    private static final String CUDA_CLASS = "org.sapwood.tensor.cuda.CudaBackend";
    private static final String CUDA_PRODUCTS_CLASS = "org.sapwood.tensor.cuda.MatrixProducts";

    private Backends() {}

    /** Names that can be asked for, fastest first, without {@code auto}. */
    public static List<String> names() {
        return List.of("cuda", "simd", "scalar");
    }

    /** The choice that the system property asks for. */
    public static BackendChoice choose() {
        return choose(System.getProperty(PROPERTY, "auto"));
    }

    /**
     * The backend called {@code name}, or the fastest that runs for {@code auto}.
     *
     * @throws IllegalArgumentException if there is no backend of that name
     * @throws IllegalStateException if it exists but cannot run here; the message says why and what mends it
     */
    public static BackendChoice choose(String name) {
        String wanted = name.toLowerCase(Locale.ROOT);
        if (!wanted.equals("auto") && !names().contains(wanted)) {
            throw new IllegalArgumentException(
                    "unknown backend '" + name + "', expected one of auto, " + String.join(", ", names()));
        }
        List<BackendChoice.Rejection> rejected = new ArrayList<>();
        for (String candidate : names()) {
            if (!wanted.equals("auto") && !wanted.equals(candidate)) {
                continue;
            }
            String reason = unavailable(candidate);
            if (reason == null && wanted.equals("auto")) {
                reason = unwise(candidate);
            }
            if (reason == null) {
                return open(candidate, rejected);
            }
            rejected.add(new BackendChoice.Rejection(candidate, reason));
        }
        throw new IllegalStateException(
                "backend " + wanted + " cannot run here: " + rejected.getFirst().reason());
    }

    /** Why {@code name} cannot run here, or null if it can. */
    public static @Nullable String unavailable(String name) {
        return switch (name) {
            case "scalar" -> null;
            case "simd" -> simdUnavailable();
            case "cuda" -> cudaUnavailable();
            default -> "no such backend";
        };
    }

    /** Why {@code auto} passes over a backend that could run, or null if it does not. */
    private static @Nullable String unwise(String name) {
        return name.equals("cuda") ? (String) call(CUDA_CLASS, "unwise") : null;
    }

    /**
     * What else there is to know of a backend that can run here, a line each: for {@code cuda} the device and where
     * matrix products come from.
     */
    @SuppressWarnings("unchecked") // it is a list of lines
    public static List<String> details(String name) {
        return name.equals("cuda") && unavailable(name) == null
                ? (List<String>) Objects.requireNonNull(call(CUDA_CLASS, "details"))
                : List.of();
    }

    /**
     * Why the bits of a sample may depend on the other samples of its batch, which a backend's own kernels rule out but a
     * library it was told to use may not; null if they do not. Continues a sentence that says what needs it.
     */
    public static @Nullable String mixing(String name) {
        return name.equals("cuda") ? (String) call(CUDA_PRODUCTS_CLASS, "mixing") : null;
    }

    private static @Nullable String simdUnavailable() {
        if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
            return "the Vector API module is not loaded; start Java with --add-modules jdk.incubator.vector";
        }
        try {
            call(SIMD_CLASS, "describe");
            return null;
        } catch (LinkageError | RuntimeException e) {
            return "the Vector API of this JDK does not fit: " + e + "; use JDK 25";
        }
    }

    private static @Nullable String cudaUnavailable() {
        try {
            return (String) call(CUDA_CLASS, "unavailable");
        } catch (NoClassDefFoundError e) {
            return "JCuda cannot be loaded: " + e + "; put jcuda 12.6.0 on the class path";
        } catch (LinkageError | RuntimeException e) {
            return "looking for a device failed: " + e + "; please report it";
        }
    }

    private static BackendChoice open(String name, List<BackendChoice.Rejection> rejected) {
        return switch (name) {
            case "simd" -> optional(name, SIMD_CLASS, rejected);
            case "cuda" -> optional(name, CUDA_CLASS, rejected);
            default -> new BackendChoice(name, "plain Java", ScalarBackend::new, rejected);
        };
    }

    private static BackendChoice optional(String name, String className, List<BackendChoice.Rejection> rejected) {
        String description = String.valueOf(call(className, "describe"));
        return new BackendChoice(
                name, description, () -> (Backend) Objects.requireNonNull(call(className, "open")), rejected);
    }

    /** Calls a static method of an optional backend's class; what it throws comes through as it is. */
    private static @Nullable Object call(String className, String method) {
        try {
            return Class.forName(className).getMethod(method).invoke(null);
        } catch (InvocationTargetException e) {
            switch (e.getCause()) {
                case RuntimeException cause -> throw cause;
                case Error cause -> throw cause;
                case null, default -> throw new IllegalStateException(className + "." + method + " failed", e);
            }
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e.toString(), e);
        }
    }
}
