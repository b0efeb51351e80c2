package org.sapwood.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.sapwood.tensor.AdamStep;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.ClipPlan;
import org.sapwood.tensor.ConvGeometry;
import org.sapwood.tensor.DeviceTraining;
import org.sapwood.tensor.GradientRows;
import org.sapwood.tensor.Shape;
import org.sapwood.tensor.Tensor;

/**
 * The primitives at the sizes of a training step of {@code unet32}, each with the bytes it must move (every input read
 * once, every output written once) and the floating-point operations it must do. Memory is taken when a workload is
 * prepared and shared by all, so that they are measured one after the other.
 */
final class KernelWorkloads {
    /** Weights of {@code unet32}, for what works on gradient rows. */
    private static final int COORDINATES = 4_639_427;

    /** With more, a product of 16 rows and columns per image would not fit a tensor. */
    static final int MOST_IMAGES = 2048;

    private static final int GROUPS = 8;
    private static final int HEADS = 4;
    private static final int LORA_RANK = 4;

    /** Values that repeat in a tensor; long enough that no tile sees the same twice. */
    private static final int PATTERN = 1 << 20;

    private final Backend backend;
    private final int batch;
    private final List<Workload> workloads = new ArrayList<>();
    private final float[] pattern = new float[PATTERN];

    /**
     * One primitive at one size.
     *
     * @param kernel family and primitive
     * @param shape what it works on
     * @param bytes to be moved at least
     * @param flops to be done at least, 0 where bytes alone count
     * @param isProduct whether the tensor cores can do it
     * @param calls to be measured
     */
    record Workload(String kernel, String shape, double bytes, double flops, boolean isProduct, Runnable calls) {}

    /** Prepares the primitives for {@code batch} images on {@code backend}. */
    KernelWorkloads(Backend backend, int batch) {
        this.backend = backend;
        this.batch = batch;
        Random random = new Random(1);
        for (int i = 0; i < PATTERN; i++) {
            pattern[i] = (float) random.nextGaussian();
        }
    }

    /** Every workload; those of products alone if the rest would repeat what another precision has shown. */
    List<Workload> all(boolean productsOnly) {
        products();
        convolutions();
        attention();
        if (!productsOnly) {
            streaming();
            normalization();
            layerNormalization();
            privateStep();
        }
        return workloads;
    }

    private Tensor tensor(int... extents) {
        Tensor tensor = backend.allocate(Shape.of(extents));
        Tensor first = part(tensor, 0);
        backend.upload(pattern, 0, first);
        for (int from = PATTERN; from < tensor.size(); from += PATTERN) {
            Tensor next = part(tensor, from);
            backend.scale(new Tensor(next.shape(), first.storage(), first.offset()), 1, next, false);
        }
        return tensor;
    }

    private static Tensor part(Tensor tensor, int from) {
        int count = Math.min(PATTERN, tensor.size() - from);
        return new Tensor(Shape.of(count), tensor.storage(), tensor.offset() + from);
    }

    private void add(String kernel, String shape, double elements, double flops, boolean product, Runnable calls) {
        workloads.add(new Workload(kernel, shape, elements * Float.BYTES, flops, product, calls));
    }

    private void products() {
        for (int[] size : new int[][] {
            {16 * batch, 16 * batch, 16 * batch},
            {batch * 256, 128, 128},
            {batch * 64, 128, 128},
            {batch * 256, 128, 512}
        }) {
            int m = size[0];
            int n = size[1];
            int k = size[2];
            Tensor a = tensor(m, k);
            Tensor b = tensor(n, k);
            Tensor c = tensor(m, n);
            double elements = (double) m * k + (double) n * k + (double) m * n;
            add(
                    "gemm linear",
                    m + "x" + n + "x" + k,
                    elements,
                    2.0 * m * n * k,
                    true,
                    () -> backend.linear(a, b, null, c));
        }
        int rows = batch * 256;
        Tensor x = tensor(batch, 256, 128);
        Tensor y = tensor(batch, 256, 128);
        Tensor weight = tensor(128, 128);
        Tensor gradients = tensor(batch, 128 * 128);
        GradientRows target = new GradientRows(gradients, 0, 1, false);
        add(
                "gemm per-sample gradient",
                batch + " x 256 x (128 -> 128)",
                2.0 * rows * 128 + batch * 128.0 * 128,
                2.0 * rows * 128 * 128,
                true,
                () -> backend.weightGradient(x, y, 1, target));
        Tensor norms = tensor(batch, 1);
        add(
                "per_sample_norm linear",
                batch + " x 256 x (128 -> 128)",
                2.0 * rows * 128 + batch,
                2.0 * rows * 128 * 128,
                true,
                () -> backend.weightGradientNorms(x, y, 1, 1, norms, 0, null));
        Tensor a = tensor(LORA_RANK, 128);
        Tensor b = tensor(128, LORA_RANK);
        Tensor xa = tensor(rows, LORA_RANK);
        double adapter = 4.0 * rows * 128 * LORA_RANK;
        add(
                "lora forward",
                rows + " x 128, r 4",
                3.0 * rows * 128 + rows * 4.0,
                adapter,
                false,
                () -> backend.lora(x, a, b, 1, xa, y));
        add(
                "lora input gradient",
                rows + " x 128, r 4",
                3.0 * rows * 128 + rows * 4.0,
                adapter,
                false,
                () -> backend.loraBackwardInput(y, a, b, 1, xa, x));
        add(
                "gemm per-sample gradient of B",
                batch + " x 256 x (4 -> 128)",
                rows * 132.0,
                2.0 * rows * 4 * 128,
                false,
                () -> backend.weightGradient(xa.reshape(batch, 256, LORA_RANK), y, 1, target));
        add(
                "gemm input gradient",
                rows + "x128x128",
                2.0 * rows * 128,
                2.0 * rows * 128 * 128,
                true,
                () -> backend.linearBackwardInput(y, weight, x, false));
    }

    private void convolutions() {
        int[][] layers = {
            {32, 3, 64, 1},
            {32, 64, 64, 1},
            {32, 192, 64, 1},
            {32, 64, 64, 2},
            {16, 128, 128, 1},
            {16, 256, 128, 1},
            {8, 128, 128, 1},
            {8, 256, 128, 1}
        };
        for (int[] layer : layers) {
            int edge = layer[0];
            int in = layer[1];
            int out = layer[2];
            ConvGeometry geometry = new ConvGeometry(edge, edge, in, out, 3, layer[3], 1, 1);
            Tensor x = tensor(batch, geometry.inTokens(), in);
            Tensor y = tensor(batch, geometry.outTokens(), out);
            Tensor weight = tensor(3, 3, in, out);
            Tensor bias = tensor(out);
            String shape = batch + " x " + edge + "x" + edge + ", " + in + " -> " + out
                    + (layer[3] == 1 ? "" : ", stride " + layer[3]);
            double moved = (double) x.size() + y.size() + weight.size();
            double flops = 2.0 * y.size() * 9 * in;
            add("convolution forward", shape, moved, flops, true, () -> backend.conv2d(x, weight, bias, geometry, y));
            add(
                    "convolution input gradient",
                    shape,
                    moved,
                    flops,
                    true,
                    () -> backend.conv2dBackwardInput(y, weight, geometry, x, false));
            GradientRows perSample = new GradientRows(tensor(batch, weight.size()), 0, 1, false);
            add(
                    "convolution per-sample gradient",
                    shape,
                    moved + (double) batch * weight.size(),
                    flops,
                    true,
                    () -> backend.convWeightGradient(x, y, geometry, perSample));
            Tensor norms = tensor(batch, 1);
            add(
                    "per_sample_norm convolution",
                    shape,
                    moved,
                    flops,
                    true,
                    () -> backend.convWeightGradientNorms(x, y, geometry, 1, norms, 0, null));
            GradientRows summed = new GradientRows(tensor(1, weight.size()), 0, batch, false);
            add(
                    "convolution summed gradient",
                    shape,
                    moved,
                    flops,
                    true,
                    () -> backend.convWeightGradient(x, y, geometry, summed));
        }
    }

    private void attention() {
        for (int tokens : new int[] {256, 64}) {
            Tensor q = tensor(batch, tokens, 128);
            Tensor k = tensor(batch, tokens, 128);
            Tensor v = tensor(batch, tokens, 128);
            Tensor y = tensor(batch, tokens, 128);
            Tensor dy = tensor(batch, tokens, 128);
            Tensor dq = tensor(batch, tokens, 128);
            Tensor dk = tensor(batch, tokens, 128);
            Tensor dv = tensor(batch, tokens, 128);
            Tensor normalizer = tensor(batch, HEADS, tokens);
            String shape = batch + " x " + tokens + " x 128, 4 heads";
            double product = 2.0 * batch * tokens * tokens * 128;
            add(
                    "attention forward",
                    shape,
                    4.0 * q.size(),
                    2 * product,
                    true,
                    () -> backend.attention(q, k, v, HEADS, normalizer, y));
            add(
                    "attention backward",
                    shape,
                    8.0 * q.size(),
                    5 * product,
                    true,
                    () -> backend.attentionBackward(
                            q, k, v, HEADS, normalizer, y, dy, dq, false, dk, false, dv, false));
        }
    }

    private void streaming() {
        Tensor x = tensor(batch, 1024, 64);
        Tensor y = tensor(batch, 1024, 64);
        Tensor joined = tensor(batch, 1024, 128);
        Tensor v = tensor(batch, 64);
        String shape = batch + " x 1024 x 64";
        double size = x.size();
        add("elementwise copy", shape, 2 * size, 0, false, () -> backend.scale(x, 1, y, false));
        add("elementwise add", shape, 3 * size, 0, false, () -> backend.add(x, y, y));
        add("elementwise silu", shape, 2 * size, 0, false, () -> backend.silu(x, y));
        Tensor half = tensor(batch, 1024, 32);
        add("elementwise geglu", shape, 1.5 * size, 0, false, () -> backend.geglu(x, half));
        add("elementwise geglu gradient", shape, 2.5 * size, 0, false, () -> backend.gegluBackward(x, half, y, false));
        add("elementwise addPerSample", shape, 2 * size, 0, false, () -> backend.addPerSample(x, v, y));
        add("elementwise concatChannels", shape, 4 * size, 0, false, () -> backend.concatChannels(x, y, joined));
        add(
                "elementwise upsample2x",
                batch + " x 256 x 64",
                1.25 * size,
                0,
                false,
                () -> backend.upsample2x(x.reshape(4 * batch, 256, 64).slice(0, batch), 16, 16, y));
        add("reduce sumTokens", shape, size, 0, false, () -> backend.sumTokens(x, 1, v, false));
        GradientRows bias = new GradientRows(tensor(batch, 64), 0, 1, false);
        add("reduce biasGradient", shape, size, 0, false, () -> backend.biasGradient(x, bias));
        Tensor loss = tensor(batch);
        add(
                "loss meanSquaredError",
                shape,
                3 * size,
                0,
                false,
                () -> backend.meanSquaredError(
                        x, y, 1, loss, joined.reshape(2 * batch, 1024, 64).slice(0, batch)));
    }

    private void normalization() {
        for (int[] size : new int[][] {{1024, 64}, {1024, 128}, {256, 128}, {256, 256}, {64, 256}}) {
            int channels = size[1];
            Tensor x = tensor(batch, size[0], channels);
            Tensor y = tensor(batch, size[0], channels);
            Tensor dx = tensor(batch, size[0], channels);
            Tensor gamma = tensor(channels);
            Tensor beta = tensor(channels);
            Tensor statistics = tensor(batch, GROUPS, 2);
            GradientRows ofGamma = new GradientRows(tensor(batch, channels), 0, 1, false);
            GradientRows ofBeta = new GradientRows(tensor(batch, channels), 0, 1, false);
            String shape = batch + " x " + size[0] + " x " + channels + ", 8 groups, silu";
            double n = x.size();
            add(
                    "normalization forward",
                    shape,
                    2 * n,
                    0,
                    false,
                    () -> backend.groupNorm(x, gamma, beta, GROUPS, 1e-5f, true, statistics, y));
            add(
                    "normalization input gradient",
                    shape,
                    3 * n,
                    0,
                    false,
                    () -> backend.groupNormBackwardInput(x, gamma, beta, GROUPS, true, statistics, y, dx, false));
            add(
                    "normalization parameter gradient",
                    shape,
                    2 * n,
                    0,
                    false,
                    () -> backend.groupNormParameterGradient(
                            x, gamma, beta, GROUPS, true, statistics, y, ofGamma, ofBeta));
        }
    }

    private void layerNormalization() {
        Tensor x = tensor(batch, 256, 128);
        Tensor y = tensor(batch, 256, 128);
        Tensor dx = tensor(batch, 256, 128);
        Tensor gamma = tensor(128);
        Tensor beta = tensor(128);
        Tensor statistics = tensor(batch, 256, 2);
        GradientRows ofGamma = new GradientRows(tensor(batch, 128), 0, 1, false);
        String shape = batch + " x 256 x 128";
        double n = x.size();
        add(
                "layer_norm forward",
                shape,
                2 * n,
                0,
                false,
                () -> backend.layerNorm(x, gamma, beta, 1e-5f, statistics, y));
        add(
                "layer_norm input gradient",
                shape,
                3 * n,
                0,
                false,
                () -> backend.layerNormBackwardInput(x, gamma, statistics, y, dx, false));
        add(
                "layer_norm scale gradient",
                shape,
                2 * n,
                0,
                false,
                () -> backend.layerNormScaleGradient(x, statistics, y, ofGamma));
    }

    private void privateStep() {
        int rows = Math.min(batch, 256);
        ClipPlan plan = new ClipPlan(
                ClipPlan.Rule.FLAT, List.of(1.0), 0, 1, 0x1p-22, List.of(new ClipPlan.Group(0, COORDINATES, 1)));
        Tensor weights = Tensor.of(Arrays.copyOf(pattern, COORDINATES), COORDINATES);
        DeviceTraining training = backend.train(List.of(weights), plan);
        if (training == null) {
            return;
        }
        Tensor gradients = tensor(rows, COORDINATES);
        String shape = rows + " x " + COORDINATES;
        // Read twice: the norm of a row is known only when all of it was read.
        add(
                "clip_accumulate norms and grid sum",
                shape,
                2.0 * gradients.size(),
                0,
                false,
                () -> training.accumulate(gradients));
        training.setCount(rows);
        int[] key = {1, 2, 3, 4, 5, 6, 7, 8};
        DeviceTraining.Noise noise = new DeviceTraining.Noise(key, new int[] {1, 2, 3}, 1e6);
        AdamStep.Rate rate = new AdamStep.Rate(1e-4f, 1);
        AdamStep step = new AdamStep(0.9f, 0.999f, 1e-8f, 1, rate, rate, 0, 0);
        // Sums twice and four vectors twice: read and written.
        add(
                "noise_step",
                COORDINATES + " weights",
                COORDINATES * (2.0 * 2 + 4 * 2),
                0,
                false,
                () -> training.release(noise, 1e-9, step, 0.01));
    }
}
