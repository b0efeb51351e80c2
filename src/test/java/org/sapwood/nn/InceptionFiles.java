package org.sapwood.nn;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.sapwood.io.SafetensorsWriter;

/**
 * Files shaped like the published weights of Inception-v3, filled by a formula: every name and shape is written down here
 * once more, as torchvision 0.14 lists them ({@code inception_v3(aux_logits=False).state_dict()}).
 */
public final class InceptionFiles {
    /** {@code name out in kernelHeight kernelWidth} of every convolution. */
    private static final String CONVOLUTIONS = """
            Conv2d_1a_3x3 32 3 3 3
            Conv2d_2a_3x3 32 32 3 3
            Conv2d_2b_3x3 64 32 3 3
            Conv2d_3b_1x1 80 64 1 1
            Conv2d_4a_3x3 192 80 3 3
            Mixed_5b.branch1x1 64 192 1 1
            Mixed_5b.branch5x5_1 48 192 1 1
            Mixed_5b.branch5x5_2 64 48 5 5
            Mixed_5b.branch3x3dbl_1 64 192 1 1
            Mixed_5b.branch3x3dbl_2 96 64 3 3
            Mixed_5b.branch3x3dbl_3 96 96 3 3
            Mixed_5b.branch_pool 32 192 1 1
            Mixed_5c.branch1x1 64 256 1 1
            Mixed_5c.branch5x5_1 48 256 1 1
            Mixed_5c.branch5x5_2 64 48 5 5
            Mixed_5c.branch3x3dbl_1 64 256 1 1
            Mixed_5c.branch3x3dbl_2 96 64 3 3
            Mixed_5c.branch3x3dbl_3 96 96 3 3
            Mixed_5c.branch_pool 64 256 1 1
            Mixed_5d.branch1x1 64 288 1 1
            Mixed_5d.branch5x5_1 48 288 1 1
            Mixed_5d.branch5x5_2 64 48 5 5
            Mixed_5d.branch3x3dbl_1 64 288 1 1
            Mixed_5d.branch3x3dbl_2 96 64 3 3
            Mixed_5d.branch3x3dbl_3 96 96 3 3
            Mixed_5d.branch_pool 64 288 1 1
            Mixed_6a.branch3x3 384 288 3 3
            Mixed_6a.branch3x3dbl_1 64 288 1 1
            Mixed_6a.branch3x3dbl_2 96 64 3 3
            Mixed_6a.branch3x3dbl_3 96 96 3 3
            Mixed_6b.branch1x1 192 768 1 1
            Mixed_6b.branch7x7_1 128 768 1 1
            Mixed_6b.branch7x7_2 128 128 1 7
            Mixed_6b.branch7x7_3 192 128 7 1
            Mixed_6b.branch7x7dbl_1 128 768 1 1
            Mixed_6b.branch7x7dbl_2 128 128 7 1
            Mixed_6b.branch7x7dbl_3 128 128 1 7
            Mixed_6b.branch7x7dbl_4 128 128 7 1
            Mixed_6b.branch7x7dbl_5 192 128 1 7
            Mixed_6b.branch_pool 192 768 1 1
            Mixed_6c.branch1x1 192 768 1 1
            Mixed_6c.branch7x7_1 160 768 1 1
            Mixed_6c.branch7x7_2 160 160 1 7
            Mixed_6c.branch7x7_3 192 160 7 1
            Mixed_6c.branch7x7dbl_1 160 768 1 1
            Mixed_6c.branch7x7dbl_2 160 160 7 1
            Mixed_6c.branch7x7dbl_3 160 160 1 7
            Mixed_6c.branch7x7dbl_4 160 160 7 1
            Mixed_6c.branch7x7dbl_5 192 160 1 7
            Mixed_6c.branch_pool 192 768 1 1
            Mixed_6d.branch1x1 192 768 1 1
            Mixed_6d.branch7x7_1 160 768 1 1
            Mixed_6d.branch7x7_2 160 160 1 7
            Mixed_6d.branch7x7_3 192 160 7 1
            Mixed_6d.branch7x7dbl_1 160 768 1 1
            Mixed_6d.branch7x7dbl_2 160 160 7 1
            Mixed_6d.branch7x7dbl_3 160 160 1 7
            Mixed_6d.branch7x7dbl_4 160 160 7 1
            Mixed_6d.branch7x7dbl_5 192 160 1 7
            Mixed_6d.branch_pool 192 768 1 1
            Mixed_6e.branch1x1 192 768 1 1
            Mixed_6e.branch7x7_1 192 768 1 1
            Mixed_6e.branch7x7_2 192 192 1 7
            Mixed_6e.branch7x7_3 192 192 7 1
            Mixed_6e.branch7x7dbl_1 192 768 1 1
            Mixed_6e.branch7x7dbl_2 192 192 7 1
            Mixed_6e.branch7x7dbl_3 192 192 1 7
            Mixed_6e.branch7x7dbl_4 192 192 7 1
            Mixed_6e.branch7x7dbl_5 192 192 1 7
            Mixed_6e.branch_pool 192 768 1 1
            Mixed_7a.branch3x3_1 192 768 1 1
            Mixed_7a.branch3x3_2 320 192 3 3
            Mixed_7a.branch7x7x3_1 192 768 1 1
            Mixed_7a.branch7x7x3_2 192 192 1 7
            Mixed_7a.branch7x7x3_3 192 192 7 1
            Mixed_7a.branch7x7x3_4 192 192 3 3
            Mixed_7b.branch1x1 320 1280 1 1
            Mixed_7b.branch3x3_1 384 1280 1 1
            Mixed_7b.branch3x3_2a 384 384 1 3
            Mixed_7b.branch3x3_2b 384 384 3 1
            Mixed_7b.branch3x3dbl_1 448 1280 1 1
            Mixed_7b.branch3x3dbl_2 384 448 3 3
            Mixed_7b.branch3x3dbl_3a 384 384 1 3
            Mixed_7b.branch3x3dbl_3b 384 384 3 1
            Mixed_7b.branch_pool 192 1280 1 1
            Mixed_7c.branch1x1 320 2048 1 1
            Mixed_7c.branch3x3_1 384 2048 1 1
            Mixed_7c.branch3x3_2a 384 384 1 3
            Mixed_7c.branch3x3_2b 384 384 3 1
            Mixed_7c.branch3x3dbl_1 448 2048 1 1
            Mixed_7c.branch3x3dbl_2 384 448 3 3
            Mixed_7c.branch3x3dbl_3a 384 384 1 3
            Mixed_7c.branch3x3dbl_3b 384 384 3 1
            Mixed_7c.branch_pool 192 2048 1 1
            """;

    private InceptionFiles() {}

    /** Every tensor but those of the last layer, by name. */
    static Map<String, int[]> shapes() {
        Map<String, int[]> shapes = new LinkedHashMap<>();
        CONVOLUTIONS.lines().forEach(line -> {
            String[] words = line.strip().split(" ", -1);
            int out = Integer.parseInt(words[1]);
            shapes.put(words[0] + ".conv.weight", new int[] {
                out, Integer.parseInt(words[2]), Integer.parseInt(words[3]), Integer.parseInt(words[4])
            });
            for (String statistic : new String[] {"weight", "bias", "running_mean", "running_var"}) {
                shapes.put(words[0] + ".bn." + statistic, new int[] {out});
            }
        });
        return shapes;
    }

    /** A file with these tensors and a last layer of {@code classes}; 0 for none. */
    public static void write(Path path, Map<String, int[]> shapes, int classes) {
        SafetensorsWriter writer = new SafetensorsWriter();
        shapes.forEach((name, shape) -> writer.f32(name, shape, values(name, shape)));
        if (classes > 0) {
            int[] shape = {classes, Inception.FEATURES};
            writer.f32("fc.weight", shape, new float[classes * Inception.FEATURES]);
            writer.f32("fc.bias", new int[] {classes}, new float[classes]);
        }
        writer.write(path);
    }

    /** A whole file of one of the two kinds. */
    public static void write(Path path, int classes) {
        write(path, shapes(), classes);
    }

    /**
     * The values of a tensor: a hash h in [0, 1) of (index, seed of the name) spread over a range that keeps activations of
     * order one. {@code inception_golden.py} has the same formula.
     */
    private static float[] values(String name, int[] shape) {
        int count = 1;
        for (int extent : shape) {
            count *= extent;
        }
        int seed = 0;
        for (int i = 0; i < name.length(); i++) {
            seed = seed * 31 + name.charAt(i);
        }
        double low = 0.5;
        double range = 1;
        if (name.endsWith("conv.weight")) {
            double bound = Math.sqrt(6.0 * shape[0] / count);
            low = -bound;
            range = 2 * bound;
        } else if (name.endsWith("bn.bias") || name.endsWith("running_mean")) {
            low = -0.2;
            range = 0.4;
        }
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) (low + range * unit(i, seed));
        }
        return values;
    }

    /** A hash of (index, seed) in [0, 1). */
    static double unit(int index, int seed) {
        int h = (index * 0x9E3779B1) ^ seed;
        h = (h ^ (h >>> 15)) * 0x85EBCA6B;
        h = (h ^ (h >>> 13)) * 0xC2B2AE35;
        h ^= h >>> 16;
        return (h >>> 8) / (double) (1 << 24);
    }
}
