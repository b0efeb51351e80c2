package org.sapwood.bench;

import java.util.SplittableRandom;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Shape;
import org.sapwood.tensor.Tensor;

/** Tensors of standard normal values, the same in every run. */
final class Samples {
    private final SplittableRandom random = new SplittableRandom(1);
    private final Backend backend;

    Samples(Backend backend) {
        this.backend = backend;
    }

    Tensor normal(int... extents) {
        Shape shape = Shape.of(extents);
        float[] values = new float[shape.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        Tensor tensor = backend.allocate(shape);
        backend.upload(values, 0, tensor);
        return tensor;
    }
}
