package org.sapwood.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.stream.Stream;
import org.sapwood.io.IoReasons;
import org.sapwood.io.UserException;

/**
 * Synthetic images by class, inline: those that {@code sample} wrote one by one, or else the contact sheet. The page
 * stays below a megabyte, so a large set is shown in part and the text says how large it is.
 */
record SamplesSection(RunFacts facts) implements Section {
    private static final int MOST_CLASSES = 16;
    private static final int MOST_PER_CLASS = 10;

    /** Bytes of PNG files in a page; they grow by a third as text. */
    private static final long MOST_BYTES = 600_000;

    /** The images of one class, by name. */
    private record ClassImages(String name, List<Path> files) {}

    @Override
    public String id() {
        return "samples";
    }

    @Override
    public String title() {
        return "Synthetic images";
    }

    @Override
    public boolean hasContent() {
        return Files.isDirectory(images()) || Files.isRegularFile(sheet());
    }

    private Path images() {
        return facts.folder().samples().resolve("images");
    }

    private Path sheet() {
        return facts.folder().samples().resolve("grid.png");
    }

    @Override
    public void append(Html html) {
        try {
            List<ClassImages> classes = Files.isDirectory(images()) ? classes() : List.of();
            if (!classes.isEmpty()) {
                appendClasses(html, classes);
            } else if (Files.isRegularFile(sheet())) {
                html.empty(
                        "img",
                        "class",
                        "sheet",
                        "alt",
                        "Contact sheet of synthetic images, one row per class",
                        "src",
                        inline(ContactSheet.within(sheet(), MOST_BYTES)));
            }
        } catch (IOException e) {
            throw new UserException("cannot read the samples of the run: " + IoReasons.of(e), e);
        }
    }

    private List<ClassImages> classes() throws IOException {
        List<ClassImages> classes = new ArrayList<>();
        for (Path folder : sorted(images())) {
            if (Files.isDirectory(folder)) {
                List<Path> files = sorted(folder).stream()
                        .filter(file -> file.toString().endsWith(".png"))
                        .toList();
                classes.add(new ClassImages(String.valueOf(folder.getFileName()), files));
            }
        }
        return classes;
    }

    private static List<Path> sorted(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.sorted(NumbersByValue.BY_FILE_NAME).toList();
        }
    }

    private void appendClasses(Html html, List<ClassImages> classes) throws IOException {
        int all = classes.stream().mapToInt(c -> c.files().size()).sum();
        List<ClassImages> shown = classes.subList(0, Math.min(MOST_CLASSES, classes.size()));
        int each = perClass(shown);
        int count =
                shown.stream().mapToInt(c -> Math.min(each, c.files().size())).sum();
        html.leaf("p", extent(all, classes.size(), count, shown.size()), "class", "note");
        html.open("div", "class", "classes");
        for (ClassImages images : shown) {
            html.open("figure", "class", "class").leaf("figcaption", images.name(), "dir", "auto");
            html.open("div", "class", "strip");
            int number = 0;
            for (Path file :
                    images.files().subList(0, Math.min(each, images.files().size()))) {
                byte[] png = ContactSheet.within(file, MOST_BYTES / shown.size());
                number++;
                String alt = "Synthetic image " + number + " of class " + images.name();
                html.empty("img", "alt", alt, "src", inline(png));
            }
            html.close("div").close("figure");
        }
        html.close("div");
    }

    /** How many images of every class fit into the page, by their mean size; at least one. */
    private static int perClass(List<ClassImages> classes) throws IOException {
        long bytes = 0;
        int files = 0;
        for (ClassImages images : classes) {
            for (Path file : images.files()
                    .subList(0, Math.min(MOST_PER_CLASS, images.files().size()))) {
                bytes += Files.size(file);
                files++;
            }
        }
        if (bytes <= MOST_BYTES) {
            return MOST_PER_CLASS;
        }
        double share = (double) MOST_BYTES / bytes;
        return Math.max(1, (int) (share * files / classes.size()));
    }

    private static String extent(int all, int classes, int shown, int classesShown) {
        String text = "Drawn from the trained model; drawing asks the private images nothing. "
                + (shown == all
                        ? "All " + Figures.count(all) + " images"
                        : shown + " of " + Figures.count(all) + " images");
        return classesShown == classes ? text + "." : text + ", " + classesShown + " of " + classes + " classes.";
    }

    private static String inline(byte[] png) {
        return "data:image/png;base64," + Base64.getEncoder().encodeToString(png);
    }
}
