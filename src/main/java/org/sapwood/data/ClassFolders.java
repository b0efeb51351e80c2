package org.sapwood.data;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.sapwood.io.UserException;

/**
 * Folders and zip archives in which every folder that holds images is a class, named by its path from the root (so
 * {@code Greek/character01} and {@code Latin/character01} are two). Classes are numbered in the order of their names.
 * Images are dealt out one class after the other (the first of every class, then the second, by file name), so that a
 * subset by index holds all classes in like numbers.
 */
final class ClassFolders {
    private static final List<String> IMAGE_ENDINGS = List.of(".png", ".jpg", ".jpeg");

    private ClassFolders() {}

    private record Item(ImageTree tree, String file) {
        String describe() {
            return tree.describe(file);
        }

        byte[] read() {
            return tree.read(file);
        }
    }

    /** An image with its place in the deal. */
    private record Dealt(int round, int label, Item item) {}

    static ImageSet read(List<Path> sources, ReadOptions options) throws IOException {
        List<ImageTree> trees = new ArrayList<>();
        try {
            for (Path source : sources) {
                trees.add(ImageTree.open(source));
            }
            return read(trees, sources.size() == 1 ? sources.getFirst().toString() : sources.toString(), options);
        } finally {
            for (ImageTree tree : trees) {
                tree.close();
            }
        }
    }

    private static ImageSet read(List<ImageTree> trees, String source, ReadOptions options) {
        Map<String, List<Item>> classes = classes(trees);
        if (classes.isEmpty()) {
            throw new UserException(source + " holds no images: expected PNG or JPEG files in class folders"
                    + " (CLASS/image.png)" + endingsFound(trees));
        }
        List<Dealt> deal = new ArrayList<>();
        int label = 0;
        for (List<Item> items : classes.values()) {
            for (int round = 0; round < items.size(); round++) {
                deal.add(new Dealt(round, label, items.get(round)));
            }
            label++;
        }
        deal.sort(Comparator.comparingInt(Dealt::round).thenComparingInt(Dealt::label));
        int to = options.subset().endIn(deal.size(), source);
        List<Dealt> kept = deal.subList(options.subset().from(), to);
        return Assembly.of(
                kept.size(),
                List.copyOf(classes.keySet()),
                options,
                i -> kept.get(i).label(),
                i -> {
                    Item item = kept.get(i).item();
                    return PictureDecoder.decode(item.read(), item.describe());
                },
                i -> kept.get(i).item().describe());
    }

    /** The images of each class, by file name; a file met again with the same path and bytes is dropped. */
    private static Map<String, List<Item>> classes(List<ImageTree> trees) {
        Map<String, List<Item>> byPath = new TreeMap<>();
        for (ImageTree tree : trees) {
            for (String file : tree.files()) {
                if (isImage(file)) {
                    Item item = new Item(tree, file);
                    List<Item> same = byPath.computeIfAbsent(file, _ -> new ArrayList<>());
                    if (same.stream().noneMatch(other -> Arrays.equals(other.read(), item.read()))) {
                        same.add(item);
                    }
                }
            }
        }
        Map<String, List<Item>> classes = new TreeMap<>();
        byPath.forEach((file, items) -> {
            int slash = file.lastIndexOf('/');
            if (slash < 0) {
                throw new UserException(
                        items.getFirst().describe() + " lies outside any class folder; expected CLASS/image.png");
            }
            classes.computeIfAbsent(file.substring(0, slash), _ -> new ArrayList<>())
                    .addAll(items);
        });
        return classes;
    }

    private static boolean isImage(String file) {
        String lower = file.toLowerCase(Locale.ROOT);
        return !ImageTree.isClutter(file) && IMAGE_ENDINGS.stream().anyMatch(lower::endsWith);
    }

    private static String endingsFound(List<ImageTree> trees) {
        TreeSet<String> endings = new TreeSet<>();
        for (ImageTree tree : trees) {
            for (String file : tree.files()) {
                String name = file.substring(file.lastIndexOf('/') + 1);
                int dot = name.lastIndexOf('.');
                endings.add(dot < 0 ? "(no ending)" : name.substring(dot));
            }
        }
        return endings.isEmpty() ? "; it is empty" : "; it holds only " + endings;
    }
}
