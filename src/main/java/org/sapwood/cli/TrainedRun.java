package org.sapwood.cli;

import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.sapwood.data.ImageSet;
import org.sapwood.data.ImageSource;
import org.sapwood.io.RunFolder;
import org.sapwood.io.UserException;
import org.sapwood.nn.ModelFolder;
import org.sapwood.report.ReportPage;
import org.sapwood.synthesis.ImageGenerator;
import org.sapwood.synthesis.ImageGenerators;
import org.sapwood.synthesis.RunRecord;
import org.sapwood.tensor.BackendChoice;

/**
 * The folder of a run with a trained model in it.
 *
 * @param folder of the run
 */
record TrainedRun(RunFolder folder) {
    private static final int SHEET_IMAGES_PER_CLASS = 10;
    private static final int SHEET_CLASSES = 16;

    /** The contact sheet. */
    static final String SHEET = "grid.png";

    /** The folder of synthetic images below {@code samples/}. */
    static final String IMAGES = "images";

    /** The images that the run was trained on. */
    ImageSource data() {
        Map<String, Object> options = RunRecord.options(folder, RunRecord.command(folder));
        if (options.get("data") instanceof Map<?, ?> data) {
            return ImageSource.fromJson(data);
        }
        throw new UserException(folder.runJson() + ": option data is missing; was this run made by another version?");
    }

    /**
     * The newest checkpoint.
     *
     * @throws UserException when there is none yet
     */
    ModelFolder model() {
        return ModelFolder.find(folder.newestCheckpoint()
                .orElseThrow(() -> new UserException(folder.path() + " holds no checkpoint yet"))
                .path());
    }

    /** Draws a sheet of some images per class and writes the report, so that a run ends with something to look at. */
    void finish(CommonOptions common, BackendChoice backend) {
        List<String> classNames = data().open().classNames();
        ImageGenerator model = ImageGenerators.load(model());
        int shown = Math.min(SHEET_CLASSES, classNames.size());
        try (Progress progress = common.progress("samples")) {
            ImageSet sheet = SyntheticImages.draw(
                    model,
                    classNames.subList(0, shown),
                    SHEET_IMAGES_PER_CLASS * shown,
                    DrawingOptions.defaults(
                            model, common.threads(), common.seed().orElse(0)),
                    backend,
                    progress);
            ImageFolder.writeSheet(sheet, folder.samples().resolve(SHEET));
        }
        ReportPage.write(folder);
    }

    /** Names for the classes of a model that no data names: their numbers. */
    static List<String> numbered(int classes) {
        return IntStream.range(0, classes).mapToObj(String::valueOf).toList();
    }
}
