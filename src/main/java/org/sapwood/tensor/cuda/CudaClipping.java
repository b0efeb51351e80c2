package org.sapwood.tensor.cuda;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.sapwood.tensor.ClipPlan;
import org.sapwood.tensor.Tensor;

/**
 * Bounds the gradients of examples by a plan and adds them to exact sums: the launches of
 * {@code kernels/clip_accumulate.cu}, with what of the plan the kernels read on the device.
 */
final class CudaClipping {
    /** Columns of a row whose squares one block adds. The order of a norm's sum follows from it. */
    static final int CHUNK = 1 << 14;

    /** Columns of a block that adds rows to sums. */
    static final int TILE = 1 << 10;

    private static final String FAMILY = "clip_accumulate";
    private static final int THREADS = 256;

    /** Blocks per multiprocessor below which rows are divided among blocks. */
    private static final int BUSY = 8;

    /** Rows of a part at least, so that a part is worth a block. */
    private static final int LEAST_ROWS = 16;

    private final CudaStream stream;
    private final ClipPlan plan;
    private final int groups;
    private final int chunks;
    private final int tiles;
    private final long chunkTable;
    private final long firstChunks;
    private final long tileTable;
    private final long weights;
    private final long bounds;

    CudaClipping(CudaStream stream, ClipPlan plan) {
        this.stream = stream;
        this.plan = plan;
        groups = plan.groups().size();
        int[] chunkColumns = columns(plan.groups(), CHUNK);
        int[] tileColumns = columns(plan.groups(), TILE);
        chunks = chunkColumns.length / 3;
        tiles = tileColumns.length / 3;
        chunkTable = onDevice(chunkColumns);
        tileTable = onDevice(tileColumns);
        int[] starts = new int[groups + 1];
        float[] weightOf = new float[groups];
        for (int g = 0; g < groups; g++) {
            starts[g + 1] = starts[g] + Math.ceilDiv(plan.groups().get(g).length(), CHUNK);
            weightOf[g] = plan.groups().get(g).weight();
        }
        firstChunks = onDevice(starts);
        weights = stream.allocate(groups).address();
        stream.staging().upload(weightOf, 0, groups, weights);
        bounds = stream.allocate(2 * plan.bounds().size()).address();
        stream.staging()
                .upload(plan.bounds().stream().mapToDouble(Double::doubleValue).toArray(), bounds);
    }

    /** Cuts every group into stretches of at most {@code most} columns: first column, length and group of each. */
    private static int[] columns(List<ClipPlan.Group> groups, int most) {
        List<int[]> stretches = new ArrayList<>();
        for (int g = 0; g < groups.size(); g++) {
            ClipPlan.Group group = groups.get(g);
            for (int done = 0; done < group.length(); done += most) {
                stretches.add(new int[] {group.from() + done, Math.min(most, group.length() - done), g});
            }
        }
        return stretches.stream().flatMapToInt(Arrays::stream).toArray();
    }

    /** The rule as the kernel knows it. */
    static int code(ClipPlan.Rule rule) {
        return switch (rule) {
            case FLAT -> 0;
            case AUTOMATIC -> 1;
            case BY_GROUP -> 2;
        };
    }

    private long onDevice(int[] values) {
        long address = stream.allocate(values.length).address();
        stream.staging().upload(values, address);
        return address;
    }

    /**
     * Adds the clipped rows to sums.
     *
     * @param rows [R, P]
     * @param count address of an int: how many rows count, at most R
     * @param sums address of P 64-bit integers
     */
    void accumulate(Tensor rows, long count, long sums) {
        int most = rows.dim(0);
        long partials = (long) most * chunks;
        long ofGroups = (long) most * groups;
        long workspace = stream.workspace((partials + 2 * ofGroups) * Double.BYTES);
        long norms = workspace + partials * Double.BYTES;
        long multipliers = norms + ofGroups * Double.BYTES;
        stream.kernel(FAMILY, "clip_accumulate_norms")
                .tensor(rows)
                .i64(rows.dim(1))
                .address(count)
                .address(chunkTable)
                .i32(chunks)
                .address(workspace)
                .blocks(Math.multiplyExact(most, chunks), THREADS);
        stream.kernel(FAMILY, "clip_accumulate_scales")
                .address(workspace)
                .address(firstChunks)
                .address(weights)
                .address(bounds)
                .i32(groups)
                .i32(code(plan.rule()))
                .f64(plan.gamma())
                .f64(plan.inflation())
                .f64(plan.step())
                .address(count)
                .address(norms)
                .address(multipliers)
                .blocks(most, THREADS);
        int wanted = Math.ceilDiv(BUSY * stream.device().multiprocessors(), Math.max(1, tiles));
        int parts = Math.clamp(most / LEAST_ROWS, 1, wanted);
        int rowsPerPart = Math.ceilDiv(most, parts);
        stream.kernel(FAMILY, "clip_accumulate_grid")
                .tensor(rows)
                .i64(rows.dim(1))
                .address(count)
                .address(tileTable)
                .address(multipliers)
                .i32(groups)
                .i32(rowsPerPart)
                .address(sums)
                .grid(tiles, parts, 1, THREADS, 0);
    }
}
