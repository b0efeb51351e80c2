package org.sapwood.synthesis.dpaf;

import org.sapwood.autograd.Adam;
import org.sapwood.autograd.ParameterVector;
import org.sapwood.io.SafetensorsFile;
import org.sapwood.io.SafetensorsWriter;

/** Weights that Adam changes, with its moments. */
final class Trained {
    private final String name;
    private final ParameterVector parameters;
    private final float[] weights;
    private final Adam adam;

    /**
     * Weights as they are now.
     *
     * @param name of their tensors in a checkpoint
     * @param beta1 decay of the first moment
     */
    Trained(String name, ParameterVector parameters, double beta1) {
        this.name = name;
        this.parameters = parameters;
        weights = new float[parameters.size()];
        parameters.read(weights);
        adam = new Adam(weights.length, beta1, 0.99, 1e-8, 0);
    }

    void step(float[] gradient, double learningRate) {
        adam.step(weights, gradient, learningRate);
        parameters.write(weights);
    }

    ParameterVector parameters() {
        return parameters;
    }

    float[] weights() {
        return weights;
    }

    int size() {
        return weights.length;
    }

    void write(SafetensorsWriter writer) {
        int[] shape = {weights.length};
        writer.f32(name + ".weights", shape, weights)
                .f32(name + ".first_moment", shape, adam.firstMoment())
                .f32(name + ".second_moment", shape, adam.secondMoment())
                .i64(name + ".updates", new int[] {1}, new long[] {adam.steps()});
    }

    void read(SafetensorsFile file) {
        read(file, ".weights", weights);
        read(file, ".first_moment", adam.firstMoment());
        read(file, ".second_moment", adam.secondMoment());
        adam.restore(file.require(name + ".updates").requireShape(1).toLongs()[0]);
        parameters.write(weights);
    }

    private void read(SafetensorsFile file, String field, float[] target) {
        float[] values = file.require(name + field)
                .requireShape(target.length)
                .requireFinite()
                .toFloats();
        System.arraycopy(values, 0, target, 0, target.length);
    }
}
