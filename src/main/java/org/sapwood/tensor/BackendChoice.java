package org.sapwood.tensor;

import java.util.List;
import java.util.function.Supplier;

/**
 * A backend that was chosen, and why the others were not.
 *
 * @param name {@code scalar}, {@code simd} or {@code cuda}
 * @param description what runs, such as {@code "512-bit vectors, 16 float lanes"}
 * @param factory makes an instance for one worker thread
 * @param rejected the backends that {@code auto} passed over, each with its reason and the flag that mends it
 */
public record BackendChoice(String name, String description, Supplier<Backend> factory, List<Rejection> rejected) {
    /**
     * Why a backend is not used.
     *
     * @param name of the backend
     * @param reason one line, ending with what would mend it
     */
    public record Rejection(String name, String reason) {}

    public BackendChoice {
        rejected = List.copyOf(rejected);
    }

    /** A new backend instance for one worker thread. */
    public Backend open() {
        return factory.get();
    }

    /** One line for the log: what runs and why the others do not. */
    public String oneLine() {
        StringBuilder line = new StringBuilder("backend ")
                .append(name)
                .append(" (")
                .append(description)
                .append(')');
        for (Rejection rejection : rejected) {
            line.append("; not ").append(rejection.name()).append(": ").append(rejection.reason());
        }
        return line.toString();
    }
}
