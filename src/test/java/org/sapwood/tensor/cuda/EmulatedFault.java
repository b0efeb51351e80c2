package org.sapwood.tensor.cuda;

import static org.junit.jupiter.api.Assumptions.abort;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import org.sapwood.tensor.Backends;

/** Faults of the emulated device, on demand; {@code kernels/emulator/faults.h} names those there are. */
public final class EmulatedFault {
    /** Names the fault in the environment of a process. */
    public static final String VARIABLE = "SAPWOOD_EMULATOR_FAULT";

    private static final String REQUIRED = "SAPWOOD_REQUIRE_BACKENDS";

    private EmulatedFault() {}

    /** Skips the test where no device is emulated, or fails if the CUDA backend is required and cannot run. */
    public static void requireEmulator() {
        String reason = Backends.unavailable("cuda");
        if (reason != null
                && Arrays.asList(System.getenv().getOrDefault(REQUIRED, "").split(","))
                        .contains("cuda")) {
            throw new AssertionError("cuda: " + reason + " (required by " + REQUIRED + ")");
        }
        if (reason == null && !CudaDriver.device().isEmulated()) {
            reason = "faults on demand need the emulated device";
        }
        if (reason != null) {
            abort("cuda: " + reason);
        }
    }

    /** The library of the emulated device. */
    public static Path library() {
        return Path.of(Objects.requireNonNull(System.getProperty(CudaDriver.DRIVER_PROPERTY)));
    }

    /** Does work under a fault. */
    public static void during(String fault, Runnable work) {
        set(fault);
        try {
            work.run();
        } finally {
            set("");
        }
    }

    /** The fault of a device with so many bytes beyond those that are in use. */
    public static String memory(long bytes) {
        long[] memory = CudaDriver.device().memory();
        return "out-of-memory:" + (memory[1] - memory[0] + bytes);
    }

    private static void set(String fault) {
        MethodHandle function = SharedLibrary.open(library().toString())
                .function("sapwood_emulator_set_fault", FunctionDescriptor.ofVoid(ValueLayout.ADDRESS));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocateFrom(fault);
            function.invokeExact(text);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
