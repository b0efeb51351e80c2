package org.sapwood.nn;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.sapwood.io.Json;
import org.sapwood.io.UserException;

/**
 * The shape of the GAN of DPAF (arXiv 2304.12185), as its {@code config.json} holds it.
 *
 * @param imageSize edge of the square images, a multiple of 4, at least 8
 * @param channels 1 or 3
 * @param classes K, at least 1
 * @param latent length of the random vector z that an image is made from, at least 1
 * @param generatorWidth channels of the generator at a quarter of the edge, a multiple of 16; half and a quarter of them
 *     after each doubling of the edge
 * @param firstFeatures channels after conv1, at least 1
 * @param features m, channels after conv2, at least 1
 * @param headWidth channels after conv3, at least 1
 */
public record GanConfig(
        int imageSize,
        int channels,
        int classes,
        int latent,
        int generatorWidth,
        int firstFeatures,
        int features,
        int headWidth) {
    /** Value of {@code _class_name} in {@code config.json}. */
    public static final String CLASS_NAME = "SapwoodGenerator";

    private static final int LEAST_SIZE = 8;
    private static final int SHRINKING = 4;

    /**
     * Checks every component.
     *
     * @throws UserException naming the first one out of range
     */
    public GanConfig {
        if (imageSize < LEAST_SIZE || imageSize % SHRINKING != 0) {
            throw new UserException("the GAN needs images whose edge is a multiple of 4 and at least 8, got "
                    + imageSize + "; convert them with --size");
        }
        if (channels != 1 && channels != 3) {
            throw new UserException("channels must be 1 or 3, got " + channels);
        }
        requirePositive("classes", classes);
        requirePositive("latent", latent);
        requirePositive("first_features", firstFeatures);
        requirePositive("features", features);
        requirePositive("head_width", headWidth);
        if (generatorWidth < 1 || generatorWidth % GanGenerator.WIDTH_MULTIPLE != 0) {
            throw new UserException(
                    "generator_width must be a multiple of " + GanGenerator.WIDTH_MULTIPLE + ", got " + generatorWidth);
        }
    }

    private static void requirePositive(String name, int value) {
        if (value < 1) {
            throw new UserException(name + " must be >= 1, got " + value);
        }
    }

    /** p, the edge of a feature map: a quarter of the image's. */
    public int featureEdge() {
        return imageSize / SHRINKING;
    }

    /** m·p², the numbers that one image is reduced to. */
    public int featureLength() {
        return features * featureEdge() * featureEdge();
    }

    /**
     * √m·p, which no normalised feature vector exceeds: over the p² values of a channel, instance normalisation leaves
     * a sum of squares of p²·var/(var + ε) ≤ p².
     */
    public double featureBound() {
        return Math.sqrt(features) * featureEdge();
    }

    /** Samples of an image. */
    public int imageLength() {
        return imageSize * imageSize * channels;
    }

    /** This configuration as {@code config.json}. */
    public Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("_class_name", CLASS_NAME);
        json.put("sample_size", imageSize);
        json.put("channels", channels);
        json.put("classes", classes);
        json.put("latent", latent);
        json.put("generator_width", generatorWidth);
        json.put("first_features", firstFeatures);
        json.put("features", features);
        json.put("head_width", headWidth);
        return json;
    }

    /** Whether {@code json}, a {@code config.json}, describes a model of this kind. */
    public static boolean describes(Map<String, Object> json) {
        return CLASS_NAME.equals(json.get("_class_name"));
    }

    /**
     * Reads {@code config.json}.
     *
     * @throws UserException naming the file and the field that is missing or out of range
     */
    public static GanConfig read(Path file) {
        Map<String, Object> json = Json.readObject(file);
        if (!describes(json)) {
            throw new UserException(file + ": _class_name must be " + CLASS_NAME + ", got " + json.get("_class_name"));
        }
        try {
            return new GanConfig(
                    integer(json, "sample_size"),
                    integer(json, "channels"),
                    integer(json, "classes"),
                    integer(json, "latent"),
                    integer(json, "generator_width"),
                    integer(json, "first_features"),
                    integer(json, "features"),
                    integer(json, "head_width"));
        } catch (UserException e) {
            throw new UserException(file + ": " + e.getMessage(), e);
        }
    }

    private static int integer(Map<String, Object> json, String name) {
        @Nullable Object value = json.get(name);
        if (value instanceof Integer number) {
            return number;
        }
        throw new UserException("field " + name + " must be an integer, got " + value);
    }
}
