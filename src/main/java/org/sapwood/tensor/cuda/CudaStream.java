package org.sapwood.tensor.cuda;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;
import org.jspecify.annotations.Nullable;
import org.sapwood.tensor.HeapStorage;
import org.sapwood.tensor.Indices;
import org.sapwood.tensor.Storage;
import org.sapwood.tensor.Tensor;

/**
 * One worker's stream of work on the device, with all memory it takes. Calls return before the device is done; only
 * downloads wait.
 *
 * <p>Weights and indices live on the heap, where every backend reads them. The stream keeps a copy of each that its
 * kernels read, and renews it when the original has changed.
 */
final class CudaStream implements AutoCloseable {
    /** {@code CU_STREAM_NON_BLOCKING}. */
    private static final int NON_BLOCKING = CUstream_flags.CU_STREAM_NON_BLOCKING;

    private static final long SMALLEST_WORKSPACE = 1L << 20;

    private final CudaDevice device;
    private final Precision precision;
    private final StreamHandle stream = new StreamHandle();
    private final @Nullable CublasProducts cublas;
    private final Staging staging;
    private final @Nullable LaunchProfile profile;
    private final Launch launch;
    private final List<DeviceStorage> owned = new ArrayList<>();
    private final Map<HeapStorage, Mirror> mirrors = new IdentityHashMap<>();
    private final Map<Indices, DeviceStorage> indexMirrors = new IdentityHashMap<>();
    private final List<Recording> recordings = new ArrayList<>();
    private @Nullable Thread user;
    private @Nullable DeviceStorage workspace;
    private @Nullable Recording recording;
    private boolean capturing;
    private boolean closed;

    /** The device's copy of an array. */
    private static final class Mirror {
        final long address;
        int version;

        Mirror(long address, int version) {
            this.address = address;
            this.version = version;
        }
    }

    CudaStream(CudaDevice device, Precision precision) {
        this.device = device;
        this.precision = precision;
        use();
        CudaException.check(JCudaDriver.cuStreamCreate(stream, NON_BLOCKING), "cuStreamCreate");
        staging = new Staging(stream);
        profile = LaunchProfile.isWanted() ? new LaunchProfile(stream) : null;
        launch = new Launch(this, stream, profile);
        cublas = CublasProducts.chosen(this, stream);
    }

    CudaDevice device() {
        return device;
    }

    /** How products are computed. */
    Precision precision() {
        return precision;
    }

    /** cuBLAS on this stream, if it shall compute products; null if the project's kernels do. */
    @Nullable
    CublasProducts cublas() {
        use();
        return cublas;
    }

    /**
     * Makes the device current on this thread; a stream may move from thread to thread between calls.
     *
     * @throws IllegalStateException after {@link #close}
     */
    void use() {
        if (closed) {
            throw new IllegalStateException("this CUDA backend is closed: its stream and its memory are gone");
        }
        Thread current = Thread.currentThread();
        if (user != current) {
            device.use();
            user = current;
        }
    }

    /** Starts the launch of kernel {@code name} of {@code kernels/<family>.cu}. */
    Launch kernel(String family, String name) {
        use();
        if (capturing && recording != null) {
            recording.kernels.add(name);
        }
        return launch.of(device.kernel(family, name), name);
    }

    // ---- memory ---------------------------------------------------------------------------------------------------

    /** Memory of {@code elements} floats that lives as long as this stream, not initialised. */
    DeviceStorage allocate(int elements) {
        use();
        DeviceStorage storage = DeviceStorage.allocate(device, elements);
        owned.add(storage);
        return storage;
    }

    /**
     * The address of scratch memory for one operation: valid until the next call of this method, 256-byte aligned, not
     * initialised. Earlier, smaller workspaces stay alive, since recordings point to them.
     */
    long workspace(long bytes) {
        DeviceStorage current = workspace;
        if (current == null || current.size() * (long) Float.BYTES < bytes) {
            requireNoCapture("the workspace cannot grow");
            long wanted = Math.max(SMALLEST_WORKSPACE, Math.ceilDiv(bytes + bytes / 4, (long) Float.BYTES));
            current = allocate((int) Math.min(Integer.MAX_VALUE, wanted));
            if (current.size() * (long) Float.BYTES < bytes) {
                throw new IllegalArgumentException("an operation wants a workspace of " + bytes + " bytes");
            }
            workspace = current;
        }
        return current.address();
    }

    /** Fills {@code bytes} bytes, a multiple of 4, with a repeated 32-bit pattern. */
    void fill(long address, int pattern, long bytes) {
        use();
        if (bytes > 0) {
            CudaException.check(
                    JCudaDriver.cuMemsetD32Async(DeviceAddress.of(address), pattern, bytes / Integer.BYTES, stream),
                    "cuMemsetD32Async",
                    bytes + " bytes");
        }
    }

    /** Copies on the device. */
    void copy(long from, long to, long bytes) {
        use();
        if (bytes > 0) {
            CudaException.check(
                    JCudaDriver.cuMemcpyDtoDAsync(DeviceAddress.of(to), DeviceAddress.of(from), bytes, stream),
                    "cuMemcpyDtoDAsync",
                    bytes + " bytes");
        }
    }

    /** Copies to and from Java arrays; not while a recording is being made. */
    Staging staging() {
        use();
        requireNoCapture("no copy from or to the heap");
        return staging;
    }

    private void requireNoCapture(String what) {
        if (capturing) {
            throw new IllegalStateException(
                    what + " while a sequence is being recorded: it differs from its first run");
        }
    }

    /** The address of a tensor's first element on the device. A heap tensor is there to be read only. */
    long address(Tensor tensor) {
        Storage storage = tensor.storage();
        long base = storage instanceof DeviceStorage own ? own.address() : mirror((HeapStorage) storage).address;
        return base + (long) tensor.offset() * Float.BYTES;
    }

    /** The address of the device's copy of some indices. */
    long address(Indices indices) {
        DeviceStorage copy = indexMirrors.get(indices);
        if (copy == null) {
            requireNoCapture("no new indices");
            copy = allocate(indices.length());
            indexMirrors.put(indices, copy);
        }
        if (!capturing) {
            staging().upload(indices.values(), copy.address());
        }
        if (recording != null) {
            recording.indices.add(indices);
        }
        return copy.address();
    }

    private Mirror mirror(HeapStorage heap) {
        Mirror mirror = mirrors.get(heap);
        if (mirror == null) {
            requireNoCapture("no new weights");
            mirror = new Mirror(allocate(heap.size()).address(), heap.version() - 1);
            mirrors.put(heap, mirror);
        }
        renew(heap, mirror);
        if (recording != null) {
            recording.weights.add(heap);
        }
        return mirror;
    }

    private void renew(HeapStorage heap, Mirror mirror) {
        int version = heap.version();
        if (mirror.version != version) {
            staging().upload(heap.array(), 0, heap.size(), mirror.address);
            mirror.version = version;
        }
    }

    /**
     * Makes {@code address} the place of the device's copy of {@code heap}, so that a kernel which changes what stands
     * there changes the weights that all others read. Before any kernel has read {@code heap}.
     */
    void bind(HeapStorage heap, long address) {
        if (mirrors.containsKey(heap)) {
            throw new IllegalStateException("the device has a copy of these weights already");
        }
        Mirror mirror = new Mirror(address, heap.version() - 1);
        mirrors.put(heap, mirror);
        renew(heap, mirror);
    }

    // ---- recordings -----------------------------------------------------------------------------------------------

    /** See {@link org.sapwood.tensor.Backend#record}. */
    Runnable record(Runnable calls) {
        if (profile != null) {
            return calls;
        }
        Recording made = new Recording(calls);
        recordings.add(made);
        return made;
    }

    /**
     * A sequence of calls that is the same at every run. The first run executes them, which loads kernels and takes
     * memory; the second captures them into a CUDA graph; from then on the graph is launched.
     */
    private final class Recording implements Runnable {
        private final Runnable calls;
        private final Set<Indices> indices = new LinkedHashSet<>();
        private final Set<HeapStorage> weights = new LinkedHashSet<>();
        private final List<String> kernels = new ArrayList<>();
        private boolean warm;
        private @Nullable CUgraphExec graph;

        Recording(Runnable calls) {
            this.calls = calls;
        }

        @Override
        public void run() {
            if (recording != null) {
                calls.run();
                return;
            }
            use();
            if (!warm) {
                recording = this;
                try {
                    calls.run();
                } finally {
                    recording = null;
                }
                warm = true;
                return;
            }
            for (HeapStorage heap : weights) {
                renew(heap, Objects.requireNonNull(mirrors.get(heap)));
            }
            for (Indices each : indices) {
                staging.upload(
                        each.values(),
                        Objects.requireNonNull(indexMirrors.get(each)).address());
            }
            if (graph == null) {
                graph = capture();
            }
            CudaException.check(JCudaDriver.cuGraphLaunch(graph, stream), "cuGraphLaunch", this);
        }

        private CUgraphExec capture() {
            CudaException.check(
                    JCudaDriver.cuStreamBeginCapture(stream, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL),
                    "cuStreamBeginCapture");
            CUgraph captured = new CUgraph();
            recording = this;
            capturing = true;
            kernels.clear();
            int ended;
            try {
                calls.run();
            } finally {
                recording = null;
                capturing = false;
                // Whatever went wrong inside says more than that the capture did not end well.
                ended = JCudaDriver.cuStreamEndCapture(stream, captured);
            }
            CudaException.check(ended, "cuStreamEndCapture", this);
            CUgraphExec executable = new CUgraphExec();
            CudaException.check(JCudaDriver.cuGraphInstantiate(executable, captured, 0), "cuGraphInstantiate", this);
            CudaException.check(JCudaDriver.cuGraphDestroy(captured), "cuGraphDestroy");
            return executable;
        }

        /** For errors. */
        @Override
        public String toString() {
            return kernels.isEmpty()
                    ? "a recorded sequence without kernels"
                    : "a recorded sequence of " + kernels.size() + " kernels, " + kernels.getFirst() + " to "
                            + kernels.getLast();
        }
    }

    /** Waits until everything is done; an error of any earlier launch shows here at the latest. */
    void synchronize() {
        use();
        CudaException.check(JCudaDriver.cuStreamSynchronize(stream), "cuStreamSynchronize");
    }

    /** The seconds between the first and the last of some calls, by the device's clock. */
    double seconds(Runnable calls) {
        use();
        try (DeviceEvent start = DeviceEvent.withTime();
                DeviceEvent end = DeviceEvent.withTime()) {
            start.record(stream);
            calls.run();
            end.record(stream);
            end.await();
            return start.millisUntil(end) * 1e-3;
        }
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        use();
        if (profile != null) {
            System.err.print(profile.table());
        }
        for (Recording made : recordings) {
            if (made.graph != null) {
                CudaException.check(JCudaDriver.cuGraphExecDestroy(made.graph), "cuGraphExecDestroy");
            }
        }
        if (cublas != null) {
            cublas.close();
        }
        staging.close();
        owned.forEach(DeviceStorage::free);
        owned.clear();
        closed = true;
        CudaException.check(JCudaDriver.cuStreamDestroy(stream), "cuStreamDestroy");
    }
}
