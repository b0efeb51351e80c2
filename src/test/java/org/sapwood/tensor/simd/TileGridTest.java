package org.sapwood.tensor.simd;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The order of tiles names each once, and whatever needs a product is one range of it. */
class TileGridTest {
    private static final int IMAGES = 3;

    @ParameterizedTest
    @CsvSource({"28, 28", "14, 14", "7, 7", "13, 18", "12, 9", "11, 16", "3, 2", "4, 1", "1, 8"})
    void aProductIsTakenOfTheTilesThatNeedIt(int rows, int columns) {
        TileGrid grid = new TileGrid(rows, columns);
        List<Integer> order = IntStream.range(0, IMAGES * grid.perImage)
                .mapToObj(place -> grid.tile(place, IMAGES))
                .toList();
        assertEquals(
                IntStream.range(0, IMAGES * grid.perImage).boxed().toList(),
                order.stream().sorted().toList());
        int products = 0;
        for (int y = 0; y < 6; y++) {
            for (int x = 0; x < 6; x++) {
                List<Integer> needing = new ArrayList<>();
                for (int tile : order) {
                    int outputsDown = Math.min(4, rows - tile % grid.perImage / grid.across * 4);
                    int outputsAcross = Math.min(4, columns - tile % grid.across * 4);
                    if (y < outputsDown + 2 && x < outputsAcross + 2) {
                        needing.add(tile);
                    }
                }
                int first = grid.first(x, IMAGES);
                int end = grid.end(y, x, IMAGES);
                assertEquals(needing, order.subList(first, end), "point " + y + ", " + x);
                products += end - first;
            }
        }
        assertEquals(IMAGES * WinogradPoints.along(rows) * WinogradPoints.along(columns), products);
    }
}
