package org.sapwood.tensor;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.scalar.ScalarBackend;

/**
 * Which backends exist, which can run here, and the choice among them.
 *
 * <p>The choice comes from the command line or from {@code -Dsapwood.backend=auto|scalar|simd}. {@code auto} takes the
 * fastest that runs and keeps the reason for every rejection. Asking for a backend that cannot run is an error, never a
 * silent fallback.
 */
public final class Backends {
    /** System property that names the backend; {@code auto} when absent. */
    public static final String PROPERTY = "sapwood.backend";

    private static final String SIMD_CLASS = "org.sapwood.tensor.simd.SimdBackend";

    private Backends() {}

    /** Names that can be asked for, fastest first, without {@code auto}. */
    public static List<String> names() {
        return List.of("simd", "scalar");
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
            default -> "no such backend";
        };
    }

    private static @Nullable String simdUnavailable() {
        if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
            return "the Vector API module is not loaded; start Java with --add-modules jdk.incubator.vector";
        }
        try {
            simd("describe");
            return null;
        } catch (LinkageError | IllegalStateException e) {
            return "the Vector API of this JDK does not fit: " + e + "; use JDK 25";
        }
    }

    private static BackendChoice open(String name, List<BackendChoice.Rejection> rejected) {
        if (name.equals("scalar")) {
            return new BackendChoice(name, "plain Java", ScalarBackend::new, rejected);
        }
        return new BackendChoice(name, (String) simd("describe"), () -> (Backend) simd("open"), rejected);
    }

    /** Calls a static factory of the SIMD backend, which must not be linked when its module is absent. */
    private static Object simd(String method) {
        try {
            return Class.forName(SIMD_CLASS).getMethod(method).invoke(null);
        } catch (ReflectiveOperationException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new IllegalStateException(cause.toString(), cause);
        }
    }
}
