package org.sapwood.nn;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import org.sapwood.io.Safetensors;
import org.sapwood.io.SafetensorsFile;
import org.sapwood.io.StoredTensor;
import org.sapwood.io.UserException;
import org.sapwood.tensor.Backend;

/**
 * Inception-v3 (Szegedy et al. 2015) up to its 2048 features, with weights from a file that the user supplies, forward
 * only. The tensors are named as in torchvision's {@code Inception3}, which pytorch-fid's weights follow. One instance may
 * be shared by any number of workers.
 */
public final class Inception {
    /** Length of the feature vector. */
    public static final int FEATURES = 2048;

    /** Edge in pixels of the images that it takes. */
    public static final int EDGE = 299;

    private static final String HEAD = "fc.weight";
    private static final String VARIANT = "inception.variant";

    /** The two networks in use, which differ in their weights and in how they pool. */
    public enum Variant {
        /** The TensorFlow network of 2015-12-05 that published FIDs use, in pytorch-fid's port: 1008 classes. */
        FID("Inception-v3 as published FIDs use it (pytorch-fid, 1008 classes)", 1008),
        /** The network of torchvision: 1000 classes. Its distances do not compare with published FIDs. */
        TORCHVISION("Inception-v3 of torchvision (1000 classes), not comparable with published FIDs", 1000);

        private final String description;
        private final int classes;

        Variant(String description, int classes) {
            this.description = description;
            this.classes = classes;
        }

        /** How reports name it. */
        public String description() {
            return description;
        }
    }

    private final Variant variant;
    private final HostLayer layers;

    private Inception(SafetensorsFile file) {
        variant = variant(file);
        layers = new InceptionBlocks(new InceptionWeights(file)).layers(variant);
    }

    /**
     * Reads a file of weights. Which variant it is follows from the classes of its last layer, or from
     * {@code inception.variant} ({@code fid} or {@code torchvision}) in its metadata. Tensors that the features do not
     * need are ignored.
     *
     * @throws UserException naming the tensor that is missing or has another shape, or saying that the variant is unclear
     */
    public static Inception read(Path path) {
        return new Inception(Safetensors.read(path));
    }

    private static Variant variant(SafetensorsFile file) {
        String named = file.metadata().get(VARIANT);
        StoredTensor head = file.tensors().get(HEAD);
        for (Variant variant : Variant.values()) {
            boolean matches = named != null
                    ? variant.name().toLowerCase(Locale.ROOT).equals(named)
                    : head != null && Arrays.equals(head.shape(), new int[] {variant.classes, FEATURES});
            if (matches) {
                return variant;
            }
        }
        throw new UserException(file.path() + ": cannot tell which Inception network this is: expected " + HEAD
                + " of shape [1008, 2048] (pytorch-fid) or [1000, 2048] (torchvision), or metadata " + VARIANT
                + " = fid or torchvision, got "
                + (named != null ? VARIANT + " = " + named : head == null ? "no " + HEAD : head.toString()));
    }

    public Variant variant() {
        return variant;
    }

    /**
     * The features of one image: the mean over the last feature map.
     *
     * @param backend of the calling worker, one that computes on the heap
     * @param image [299, 299, 3] in [−1, 1]
     * @param features receives 2048 values
     * @param offset where the first one goes
     */
    public void features(Backend backend, float[] image, float[] features, int offset) {
        HostMap last = layers.apply(backend, new HostMap(image, EDGE, EDGE, 3));
        int tokens = last.height() * last.width();
        for (int c = 0; c < FEATURES; c++) {
            double sum = 0;
            for (int t = 0; t < tokens; t++) {
                sum += last.values()[t * FEATURES + c];
            }
            features[offset + c] = (float) (sum / tokens);
        }
    }
}
