package org.sapwood.data;

/**
 * Separable resizing: exact area averaging where an axis shrinks (every input pixel counts by the share of it that an
 * output pixel covers, so thin strokes fade instead of breaking up), bilinear with half-pixel centres where it grows.
 */
final class Resampler {
    /** For each output index, the first input index and the weights of it and its followers; weights add up to 1. */
    private record Axis(int[] first, float[][] weights) {}

    private Resampler() {}

    static RawImage resize(RawImage image, int height, int width) {
        if (image.height() == height && image.width() == width) {
            return image;
        }
        int channels = image.channels();
        byte[] in = image.pixels();
        Axis columns = axis(image.width(), width);
        float[] narrowed = new float[image.height() * width * channels];
        for (int y = 0; y < image.height(); y++) {
            for (int x = 0; x < width; x++) {
                float[] weights = columns.weights()[x];
                for (int c = 0; c < channels; c++) {
                    int from = (y * image.width() + columns.first()[x]) * channels + c;
                    float sum = 0;
                    for (int k = 0; k < weights.length; k++) {
                        sum += weights[k] * (in[from + k * channels] & 0xff);
                    }
                    narrowed[(y * width + x) * channels + c] = sum;
                }
            }
        }
        Axis rows = axis(image.height(), height);
        int rowLength = width * channels;
        byte[] out = new byte[height * rowLength];
        for (int y = 0; y < height; y++) {
            float[] weights = rows.weights()[y];
            for (int i = 0; i < rowLength; i++) {
                int from = rows.first()[y] * rowLength + i;
                float sum = 0;
                for (int k = 0; k < weights.length; k++) {
                    sum += weights[k] * narrowed[from + k * rowLength];
                }
                out[y * rowLength + i] = (byte) Math.clamp(Math.round(sum), 0, 255);
            }
        }
        return new RawImage(height, width, channels, out);
    }

    private static Axis axis(int from, int to) {
        Axis axis = new Axis(new int[to], new float[to][]);
        double step = (double) from / to;
        for (int i = 0; i < to; i++) {
            if (to < from) {
                area(axis, i, i * step, Math.min(from, (i + 1) * step));
            } else {
                linear(axis, i, (i + 0.5) * step - 0.5, from);
            }
        }
        return axis;
    }

    private static void area(Axis axis, int i, double begin, double end) {
        int first = (int) begin;
        int last = (int) Math.ceil(end);
        float[] weights = new float[last - first];
        for (int k = 0; k < weights.length; k++) {
            double covered = Math.min(end, first + k + 1) - Math.max(begin, first + k);
            weights[k] = (float) (covered / (end - begin));
        }
        axis.first()[i] = first;
        axis.weights()[i] = weights;
    }

    private static void linear(Axis axis, int i, double centre, int from) {
        double clamped = Math.clamp(centre, 0, from - 1.0);
        int first = Math.min((int) clamped, Math.max(0, from - 2));
        float right = (float) (clamped - first);
        axis.first()[i] = first;
        axis.weights()[i] = from == 1 ? new float[] {1} : new float[] {1 - right, right};
    }
}
