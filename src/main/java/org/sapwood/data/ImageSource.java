package org.sapwood.data;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.sapwood.io.UserException;

/**
 * Where images come from and what to do to them while reading: all that a run must remember to read them again.
 *
 * @param locations files or folders, or one name of a built-in set: {@code glyphs:public:COUNT:SEED} or
 *     {@code glyphs:sensitive:COUNT:SEED}
 * @param options applied to every image
 */
public record ImageSource(List<String> locations, ReadOptions options) {
    private static final String BUILT_IN = "glyphs:";

    public ImageSource {
        locations = List.copyOf(locations);
        if (locations.isEmpty()) {
            throw new UserException("no image location given");
        }
    }

    /**
     * Reads or generates the images.
     *
     * @throws UserException if they cannot be read, naming the file and the fix
     */
    public ImageSet open() {
        String first = locations.getFirst();
        if (first.startsWith(BUILT_IN)) {
            return builtIn(first);
        }
        return ImageSets.open(locations.stream().map(Path::of).toList(), options);
    }

    private ImageSet builtIn(String name) {
        String[] parts = name.split(":", -1);
        try {
            if (parts.length == 4 && locations.size() == 1) {
                Glyphs.Half half = Glyphs.Half.valueOf(parts[1].toUpperCase(Locale.ROOT));
                ImageSet all = Glyphs.generate(half, Integer.parseInt(parts[2]), Long.parseLong(parts[3]));
                ReadOptions.Subset subset = options.subset();
                return subset.equals(ReadOptions.Subset.ALL)
                        ? all
                        : all.subset(subset.from(), subset.endIn(all.size(), name));
            }
        } catch (IllegalArgumentException e) {
            throw new UserException(malformed(name), e);
        }
        throw new UserException(malformed(name));
    }

    private static String malformed(String name) {
        return "a built-in set is named glyphs:public|sensitive:COUNT:SEED, for example glyphs:sensitive:8000:1, got "
                + name;
    }

    /** As JSON for {@code run.json}. */
    public Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("locations", locations);
        options.size().ifPresent(size -> json.put("size", size));
        json.put("invert", options.invert());
        json.put("channels", options.channels().name());
        json.put("subset", options.subset().toString());
        options.labels().ifPresent(path -> json.put("labels", path.toString()));
        return json;
    }

    /** The source that {@link #toJson} described. */
    public static ImageSource fromJson(Map<?, ?> json) {
        Object size = json.get("size");
        Object labels = json.get("labels");
        ReadOptions options = new ReadOptions(
                size instanceof Number n ? OptionalInt.of(n.intValue()) : OptionalInt.empty(),
                Boolean.TRUE.equals(json.get("invert")),
                ReadOptions.Channels.valueOf(String.valueOf(json.get("channels"))),
                ReadOptions.Subset.parse(String.valueOf(json.get("subset"))),
                labels == null ? Optional.empty() : Optional.of(Path.of(labels.toString())));
        List<?> locations = json.get("locations") instanceof List<?> list ? list : List.of();
        return new ImageSource(locations.stream().map(Object::toString).toList(), options);
    }
}
