package org.sapwood.evaluation;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.sapwood.data.ImageSet;
import org.sapwood.io.ImageGrid;

/** A picture of the synthetic images that come nearest to a training image. It shows private images. */
public final class NearestSheet {
    private static final int COLUMNS = 10;
    private static final int BANDS = 3;

    private NearestSheet() {}

    /**
     * Writes the closest pairs: in each band synthetic images above, their nearest training images below.
     *
     * @param path the PNG file
     * @param pairs the nearest first
     */
    public static void write(Path path, List<NearestTrainingImages.Pair> pairs, ImageSet synthetic, ImageSet training) {
        List<ImageGrid.Row> rows = new ArrayList<>();
        for (int from = 0; from < Math.min(pairs.size(), BANDS * COLUMNS); from += COLUMNS) {
            List<NearestTrainingImages.Pair> band = pairs.subList(from, Math.min(pairs.size(), from + COLUMNS));
            rows.add(new ImageGrid.Row(
                    "synthetic",
                    band.stream().map(pair -> synthetic.bytes(pair.synthetic())).toList()));
            rows.add(new ImageGrid.Row(
                    "private",
                    band.stream().map(pair -> training.bytes(pair.training())).toList()));
        }
        ImageGrid.readable(synthetic.height(), synthetic.width(), synthetic.channels())
                .write(path, rows);
    }
}
