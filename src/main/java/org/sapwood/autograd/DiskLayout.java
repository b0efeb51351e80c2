package org.sapwood.autograd;

import org.sapwood.tensor.Shape;

/** How a parameter in memory maps to the PyTorch layout in a safetensors file. */
public enum DiskLayout {
    /** The same order of elements in both. */
    SAME,
    /** In memory [kernel, kernel, in, out], on disk [out, in, kernel, kernel]. */
    CONVOLUTION,
    /** In memory [out, in], on disk a 1×1 convolution [out, in, 1, 1]. */
    POINTWISE;

    /** Shape on disk of a parameter with this shape in memory. */
    public Shape diskShape(Shape memory) {
        return switch (this) {
            case SAME -> memory;
            case CONVOLUTION -> Shape.of(memory.dim(3), memory.dim(2), memory.dim(0), memory.dim(1));
            case POINTWISE -> Shape.of(memory.dim(0), memory.dim(1), 1, 1);
        };
    }

    /** Elements in disk order from elements in memory order; {@code shape} is the shape in memory. */
    public float[] toDisk(float[] memory, Shape shape) {
        return this == CONVOLUTION ? permute(memory, shape, true) : memory.clone();
    }

    /** Elements in memory order from elements in disk order; {@code shape} is the shape in memory. */
    public float[] toMemory(float[] disk, Shape shape) {
        return this == CONVOLUTION ? permute(disk, shape, false) : disk.clone();
    }

    private static float[] permute(float[] source, Shape shape, boolean toDisk) {
        int taps = shape.dim(0) * shape.dim(1);
        int in = shape.dim(2);
        int out = shape.dim(3);
        float[] target = new float[source.length];
        for (int tap = 0; tap < taps; tap++) {
            for (int i = 0; i < in; i++) {
                for (int o = 0; o < out; o++) {
                    int memory = (tap * in + i) * out + o;
                    int disk = (o * in + i) * taps + tap;
                    if (toDisk) {
                        target[disk] = source[memory];
                    } else {
                        target[memory] = source[disk];
                    }
                }
            }
        }
        return target;
    }
}
