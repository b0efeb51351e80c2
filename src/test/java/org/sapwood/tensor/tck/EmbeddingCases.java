package org.sapwood.tensor.tck;

import java.util.ArrayList;
import java.util.List;

/** Table lookup and its gradient. */
final class EmbeddingCases {
    /** Batch, rows of the table, channels. */
    private static final int[][] SIZES = {{1, 1, 1}, {3, 2, 5}, {5, 10, 17}, {2, 207, 65}, {7, 3, 128}};

    private EmbeddingCases() {}

    static List<OpCase> cases() {
        List<OpCase> cases = new ArrayList<>();
        for (int[] size : SIZES) {
            cases.add(embedding(size[0], size[1], size[2]));
            cases.add(embeddingGradient(size[0], size[1], size[2]));
        }
        return cases;
    }

    private static OpCase embedding(int batch, int rows, int channels) {
        return new OpCase("embedding", batch + " of [" + rows + ", " + channels + "]", batch)
                .shared("table", rows, channels)
                .indices("indices", rows)
                .output("y", false, batch, channels)
                .call((backend, x) -> backend.embedding(x.tensor("table"), x.indices("indices"), x.tensor("y")))
                .definition(x -> {
                    for (int i = 0; i < batch * channels; i++) {
                        int row = x.index("indices", i / channels);
                        x.out("y")[i] = x.in("table")[row * channels + i % channels];
                    }
                });
    }

    private static OpCase embeddingGradient(int batch, int rows, int channels) {
        return new OpCase("embeddingGradient", batch + " of [" + rows + ", " + channels + "]", batch)
                .indices("indices", rows)
                .perSample("dy", batch, channels)
                .gradient("gradient", rows * channels)
                .call((backend, x) ->
                        backend.embeddingGradient(x.indices("indices"), rows, x.tensor("dy"), x.gradient("gradient")))
                .definition(x -> {
                    for (int i = 0; i < batch * channels; i++) {
                        int sample = i / channels;
                        int row = sample * rows + x.index("indices", sample);
                        x.out("gradient")[row * channels + i % channels] = x.in("dy")[i];
                    }
                });
    }
}
