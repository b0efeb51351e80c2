package org.sapwood.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.sapwood.data.ImageSet;
import org.sapwood.io.ImageGrid;
import org.sapwood.io.IoReasons;
import org.sapwood.io.PngImages;
import org.sapwood.io.UserException;

/** Writes image sets as pictures: a folder of class folders, which every reader takes, and a contact sheet to look at. */
final class ImageFolder {
    private static final int SHEET_COLUMNS = 10;

    private ImageFolder() {}

    /**
     * Writes every image to {@code folder/CLASS/NUMBER.png}.
     *
     * @param folder is made where missing; must be empty
     * @throws UserException when it is not empty or cannot be written to
     */
    static void write(ImageSet images, Path folder) {
        try {
            Files.createDirectories(folder);
            try (Stream<Path> entries = Files.list(folder)) {
                if (entries.findAny().isPresent()) {
                    throw new UserException(folder + " is not empty; delete it or choose another folder");
                }
            }
            for (int i = 0; i < images.size(); i++) {
                Path ofClass = folder.resolve(images.classNames().get(images.label(i)));
                Files.createDirectories(ofClass);
                Path file = ofClass.resolve(String.format(Locale.ROOT, "%06d.png", i));
                PngImages.write(file, images.bytes(i), images.height(), images.width(), images.channels());
            }
        } catch (IOException e) {
            throw new UserException("cannot write to " + folder + ": " + IoReasons.of(e), e);
        }
    }

    /** Writes a sheet with the first images of every class, one row each. */
    static void writeSheet(ImageSet images, Path file) {
        List<List<byte[]>> byClass = new ArrayList<>();
        images.classNames().forEach(name -> byClass.add(new ArrayList<>()));
        for (int i = 0; i < images.size(); i++) {
            List<byte[]> row = byClass.get(images.label(i));
            if (row.size() < SHEET_COLUMNS) {
                row.add(images.bytes(i));
            }
        }
        List<ImageGrid.Row> rows = new ArrayList<>();
        for (int label = 0; label < byClass.size(); label++) {
            if (!byClass.get(label).isEmpty()) {
                rows.add(new ImageGrid.Row(images.classNames().get(label), byClass.get(label)));
            }
        }
        ImageGrid.readable(images.height(), images.width(), images.channels()).write(file, rows);
    }
}
