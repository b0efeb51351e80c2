package org.sapwood.tensor.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * A library opened by the system's dynamic linker, for the life of the process. {@link
 * java.lang.foreign.SymbolLookup#libraryLookup(String, Arena)} would open it too, but does not tell why it cannot, nor
 * which file it found.
 */
final class SharedLibrary {
    /** {@code RTLD_LAZY}: functions are bound when first called. */
    private static final int LAZY = 1;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final MethodHandle OPEN =
            system("dlopen", FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
    private static final MethodHandle FIND =
            system("dlsym", FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS));
    private static final MethodHandle ADDRESS_INFO =
            system("dladdr", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS));
    private static final MethodHandle ERROR = system("dlerror", FunctionDescriptor.of(ValueLayout.JAVA_LONG));

    /** Bytes of a {@code Dl_info}, which begins with the pointer to the file's name. */
    private static final long ADDRESS_INFO_BYTES = 4 * Long.BYTES;

    private final String name;
    private final long library;

    private SharedLibrary(String name, long library) {
        this.name = name;
        this.library = library;
    }

    /**
     * Opens a library.
     *
     * @param name a path, or a bare file name that is looked for where the system keeps libraries and in
     *     {@code LD_LIBRARY_PATH}
     * @throws IllegalArgumentException if it cannot be opened; the message is the dynamic linker's
     */
    static SharedLibrary open(String name) {
        try (Arena arena = Arena.ofConfined()) {
            long library = (long) OPEN.invokeExact(arena.allocateFrom(name), LAZY);
            if (library == 0) {
                throw new IllegalArgumentException(lastError());
            }
            return new SharedLibrary(name, library);
        } catch (Throwable e) {
            throw failure("dlopen", e);
        }
    }

    /**
     * The address of a function or variable.
     *
     * @throws IllegalArgumentException if the library has none of that name
     */
    long address(String symbol) {
        try (Arena arena = Arena.ofConfined()) {
            long address = (long) FIND.invokeExact(library, arena.allocateFrom(symbol));
            if (address == 0) {
                throw new IllegalArgumentException(name + " has no " + symbol);
            }
            return address;
        } catch (Throwable e) {
            throw failure("dlsym", e);
        }
    }

    /**
     * A function, to be called through {@code invokeExact}.
     *
     * @throws IllegalArgumentException if the library has none of that name
     */
    @SuppressWarnings("restricted")
    MethodHandle function(String symbol, FunctionDescriptor descriptor) {
        return LINKER.downcallHandle(MemorySegment.ofAddress(address(symbol)), descriptor);
    }

    /** The file that holds {@code symbol}, as the dynamic linker found it; the library's name if that is not known. */
    String file(String symbol) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment info = arena.allocate(ADDRESS_INFO_BYTES, Long.BYTES);
            int found = (int) ADDRESS_INFO.invokeExact(address(symbol), info);
            long file = info.get(ValueLayout.JAVA_LONG, 0);
            return found == 0 || file == 0 ? name : text(file);
        } catch (Throwable e) {
            throw failure("dladdr", e);
        }
    }

    /** The C string at an address. */
    @SuppressWarnings("restricted")
    static String text(long address) {
        return MemorySegment.ofAddress(address).reinterpret(Long.MAX_VALUE).getString(0);
    }

    /** What to throw when calling a native function has thrown {@code e}. */
    static RuntimeException failure(String call, Throwable e) {
        if (e instanceof Error error) {
            throw error;
        }
        return e instanceof RuntimeException unchecked ? unchecked : new IllegalStateException(call + " failed", e);
    }

    private static String lastError() throws Throwable {
        long message = (long) ERROR.invokeExact();
        return message == 0 ? "the dynamic linker gives no reason" : text(message);
    }

    @SuppressWarnings("restricted")
    private static MethodHandle system(String function, FunctionDescriptor descriptor) {
        MemorySegment address = LINKER.defaultLookup()
                .find(function)
                .orElseThrow(() -> new UnsatisfiedLinkError("this system has no " + function));
        return LINKER.downcallHandle(address, descriptor);
    }
}
