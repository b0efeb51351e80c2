package org.sapwood.tensor.cuda;

import org.sapwood.tensor.ConvGeometry;
import org.sapwood.tensor.Tensor;

/**
 * Squared norms of per-example gradients that are never stored: launches {@code kernels/per_sample_norm.cu}.
 *
 * <p>Samples b·K … b·K + K − 1 are the K draws of example b, whose gradients are summed before the norm is taken. Each
 * call adds, in fp64, to {@code norms[b]} at a device address, so that calls for several parameters give the norm over
 * all of them. Norms of <em>one</em> parameter do not add up: a weight that is used twice is given once, with the
 * tokens of both uses side by side.
 *
 * <p>How far a norm can be from that of the real gradient stands at the top of the kernel file. Its bits depend on the
 * example and on the shape of the layer alone.
 */
final class CudaPerSampleNorm {
    private static final String FAMILY = "per_sample_norm";
    private static final int THREADS = 256;

    /** Tokens of a tile of inner products, and of one for examples that have no more. */
    private static final int TOKENS = 64;

    private static final int FEW_TOKENS = 16;

    /** Most channels that a block of a bias sums. */
    private static final int MAX_CHANNELS = 32;

    /** Examples that tiles are chosen for: however many there are, they are added in the order of the same tiles. */
    private static final int TYPICAL_EXAMPLES = 128;

    /** Roundings of the sums over the terms of a tile and over tiles, beside one for each tile. */
    private static final int SUM_ROUNDINGS = 64;

    private CudaPerSampleNorm() {}

    /** Stores one norm per row as float32 in a column of {@code target} [rows, columns]. */
    static void store(CudaStream stream, long norms, Tensor target, int column) {
        stream.kernel(FAMILY, "per_sample_norm_store")
                .address(norms)
                .i32(target.dim(0))
                .address(stream.address(target) + (long) column * Float.BYTES)
                .i32(target.dim(1))
                .overItems(target.dim(0), THREADS);
    }

    /** Of α·Σ_t dy[b, t]ᵀ·x[b, t]. x [B, T, in], dy [B, T, out]. */
    static void linear(CudaStream stream, Tensor x, Tensor dy, float alpha, int samplesPerRow, long norms) {
        NormFlow flow = NormFlow.cheaper(tokens(dy) * samplesPerRow, x.dim(-1), dy.dim(-1));
        linear(stream, flow, x, dy, alpha, samplesPerRow, norms);
    }

    static void linear(
            CudaStream stream, NormFlow flow, Tensor x, Tensor dy, float alpha, int samplesPerRow, long norms) {
        Examples examples = new Examples(x.dim(0), samplesPerRow, Math.toIntExact(tokens(dy)));
        if (examples.isEmpty()) {
            return;
        }
        int in = x.dim(-1);
        int out = dy.dim(-1);
        double scale = (double) alpha * alpha;
        if (flow == NormFlow.GHOST) {
            ghost(
                    stream,
                    examples,
                    in,
                    out,
                    scale,
                    norms,
                    name -> stream.kernel(FAMILY, "per_sample_norm_ghost_linear_" + name)
                            .tensor(x)
                            .i32(in)
                            .tensor(dy)
                            .i32(out)
                            .i32(examples.samples())
                            .i32(samplesPerRow)
                            .i32(examples.tokens()));
            return;
        }
        Packing packing = Packing.floats(stream);
        int rows = Math.multiplyExact(examples.samples(), examples.tokens());
        Packing.Factor inputs = packing.matrix(x, rows, in);
        Packing.Factor gradients = packing.matrix(dy, rows, out);
        instantiated(
                stream,
                packing,
                examples,
                in,
                gradients,
                scale,
                norms,
                name -> stream.kernel(FAMILY, "per_sample_norm_linear_" + name)
                        .address(inputs.address())
                        .i32(inputs.stride())
                        .address(gradients.address())
                        .i32(gradients.stride())
                        .i32(examples.samples())
                        .i32(samplesPerRow)
                        .i32(examples.tokens()));
    }

    /** Of the weight [k, k, Cin, Cout] of a convolution. x [B, H·W, Cin], dy [B, H'·W', Cout]. */
    static void convolution(
            CudaStream stream, Tensor x, Tensor dy, ConvGeometry geometry, int samplesPerRow, long norms) {
        NormFlow flow =
                NormFlow.cheaper((long) geometry.outTokens() * samplesPerRow, inputs(geometry), geometry.outChannels());
        convolution(stream, flow, x, dy, geometry, samplesPerRow, norms);
    }

    static void convolution(
            CudaStream stream,
            NormFlow flow,
            Tensor x,
            Tensor dy,
            ConvGeometry geometry,
            int samplesPerRow,
            long norms) {
        Examples examples = new Examples(x.dim(0), samplesPerRow, geometry.outTokens());
        if (examples.isEmpty()) {
            return;
        }
        int out = geometry.outChannels();
        if (flow == NormFlow.GHOST) {
            ghost(
                    stream,
                    examples,
                    inputs(geometry),
                    out,
                    1,
                    norms,
                    name -> geometry(
                                    stream.kernel(FAMILY, "per_sample_norm_ghost_convolution_" + name)
                                            .tensor(x),
                                    geometry,
                                    geometry.inChannels())
                            .tensor(dy)
                            .i32(out)
                            .i32(examples.samples())
                            .i32(samplesPerRow));
            return;
        }
        Packing packing = Packing.floats(stream);
        Packing.Factor images =
                packing.matrix(x, Math.multiplyExact(x.dim(0), geometry.inTokens()), geometry.inChannels());
        Packing.Factor gradients =
                packing.matrix(dy, Math.multiplyExact(x.dim(0), geometry.outTokens()), geometry.outChannels());
        int rows = geometry.kernel() * geometry.kernel() * images.stride();
        instantiated(
                stream,
                packing,
                examples,
                rows,
                gradients,
                1,
                norms,
                name -> geometry(
                                stream.kernel(FAMILY, "per_sample_norm_convolution_" + name)
                                        .address(images.address()),
                                geometry,
                                images.stride())
                        .address(gradients.address())
                        .i32(gradients.stride())
                        .i32(examples.samples())
                        .i32(samplesPerRow));
    }

    /** Of a bias, Σ_t dy[b, t]. dy [B, T, C]. */
    static void bias(CudaStream stream, Tensor dy, int samplesPerRow, long norms) {
        Examples examples = new Examples(dy.dim(0), samplesPerRow, Math.toIntExact(tokens(dy)));
        if (examples.isEmpty()) {
            return;
        }
        int channels = dy.dim(-1);
        int width = Math.min(MAX_CHANNELS, Integer.highestOneBit(2 * channels - 1));
        int parts = Math.ceilDiv(channels, width);
        long partials = stream.workspace((long) examples.count() * parts * Double.BYTES);
        stream.kernel(FAMILY, "per_sample_norm_bias")
                .tensor(dy)
                .i32(channels)
                .i32(examples.samples())
                .i32(samplesPerRow)
                .i32(examples.tokens())
                .i32(width)
                .i32(parts)
                .address(partials)
                .blocks(Math.multiplyExact(examples.count(), parts), THREADS);
        total(stream, examples.count(), partials, parts, 0, 0, 0, 1, norms);
    }

    /** The samples of a batch as examples of several draws. */
    private record Examples(int samples, int samplesPerRow, int tokens) {
        int count() {
            return Math.ceilDiv(samples, samplesPerRow);
        }

        boolean isEmpty() {
            return samples == 0 || tokens == 0;
        }
    }

    /** Starts a launch, up to and including the arguments that say what the examples are. */
    private interface Arguments {
        Launch of(String name);
    }

    private static void ghost(
            CudaStream stream, Examples examples, int in, int out, double scale, long norms, Arguments arguments) {
        int perExample = Math.multiplyExact(examples.tokens(), examples.samplesPerRow());
        int tile = perExample <= FEW_TOKENS ? FEW_TOKENS : TOKENS;
        int tiles = Math.ceilDiv(perExample, tile);
        int pairs = Math.toIntExact(tiles * (tiles + 1L) / 2);
        long partialBytes = (long) examples.count() * pairs * Double.BYTES;
        long partials = stream.workspace(partialBytes + (long) examples.count() * tiles * Double.BYTES);
        long spreads = partials + partialBytes;
        arguments
                .of(Integer.toString(tile))
                .i32(tiles)
                .i32(pairs)
                .address(partials)
                .address(spreads)
                .blocks(Math.multiplyExact(examples.count(), pairs), THREADS);
        double margin = (in + (double) out + pairs + SUM_ROUNDINGS) * 0x1p-52;
        total(stream, examples.count(), partials, pairs, spreads, tiles, margin, scale, norms);
    }

    private static void instantiated(
            CudaStream stream,
            Packing packing,
            Examples examples,
            int rows,
            Packing.Factor gradients,
            double scale,
            long norms,
            Arguments arguments) {
        Tile tile = Tile.choose(stream.precision(), rows, gradients.stride(), TYPICAL_EXAMPLES);
        int tiles = tile.count(rows, gradients.stride());
        long reserved = packing.reserve((long) examples.count() * tiles * Double.BYTES);
        packing.run();
        long partials = packing.address(reserved);
        arguments
                .of(tile.name())
                .i32(tiles)
                .address(partials)
                .grid(
                        Math.multiplyExact(examples.count(), tiles),
                        1,
                        1,
                        tile.threads(),
                        tile.sharedBytes(Tile.Layout.WIDE, Tile.Layout.WIDE, packing.elementBytes()));
        total(stream, examples.count(), partials, tiles, 0, 0, 0, scale, norms);
    }

    private static void total(
            CudaStream stream,
            int examples,
            long partials,
            int parts,
            long spreads,
            int spreadParts,
            double margin,
            double scale,
            long norms) {
        stream.kernel(FAMILY, "per_sample_norm_total")
                .address(partials)
                .i32(parts)
                .address(spreads)
                .i32(spreadParts)
                .f64(margin)
                .f64(scale)
                .address(norms)
                .blocks(examples, 32);
    }

    private static Launch geometry(Launch launch, ConvGeometry geometry, int channels) {
        return launch.i32(geometry.height())
                .i32(geometry.width())
                .i32(channels)
                .i32(geometry.kernel())
                .i32(geometry.stride())
                .i32(geometry.padLow())
                .i32(geometry.outHeight())
                .i32(geometry.outWidth());
    }

    private static int inputs(ConvGeometry geometry) {
        return geometry.kernel() * geometry.kernel() * geometry.inChannels();
    }

    private static long tokens(Tensor dy) {
        return dy.shape().rowSize() / dy.dim(-1);
    }
}
