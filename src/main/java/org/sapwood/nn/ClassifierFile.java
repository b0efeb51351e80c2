package org.sapwood.nn;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.sapwood.autograd.Parameter;
import org.sapwood.io.Safetensors;
import org.sapwood.io.SafetensorsFile;
import org.sapwood.io.SafetensorsWriter;
import org.sapwood.io.UserException;

/**
 * A classifier as one safetensors file: weights in PyTorch layouts, and in the metadata the shape of the network beside
 * whatever its owner wants to remember.
 *
 * @param classifier the network
 * @param metadata free text pairs of the owner
 */
public record ClassifierFile(Classifier classifier, Map<String, String> metadata) {
    private static final String ARCHITECTURE = "classifier.architecture";
    private static final String HEIGHT = "classifier.height";
    private static final String WIDTH = "classifier.width";
    private static final String CHANNELS = "classifier.channels";
    private static final String CLASSES = "classifier.classes";
    private static final String BASE_CHANNELS = "classifier.base_channels";
    private static final String FEATURES = "classifier.features";

    /** Copies the metadata. */
    public ClassifierFile {
        metadata = Map.copyOf(metadata);
    }

    /** Writes the file atomically; the same content gives the same bytes. */
    public void write(Path path) {
        ClassifierConfig config = classifier.config();
        SafetensorsWriter writer = new SafetensorsWriter()
                .metadata(ARCHITECTURE, config.architecture().id())
                .metadata(HEIGHT, String.valueOf(config.height()))
                .metadata(WIDTH, String.valueOf(config.width()))
                .metadata(CHANNELS, String.valueOf(config.channels()))
                .metadata(CLASSES, String.valueOf(config.classes()))
                .metadata(BASE_CHANNELS, String.valueOf(config.baseChannels()))
                .metadata(FEATURES, String.valueOf(config.features()));
        metadata.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .forEach(pair -> writer.metadata(pair.getKey(), pair.getValue()));
        for (Parameter parameter : classifier.parameters().all()) {
            Weights.put(writer, parameter.name(), parameter, parameter.value().toArray());
        }
        writer.write(path);
    }

    /**
     * Reads a file that {@link #write} made, also one from when there was only one architecture.
     *
     * @throws UserException if the file is damaged, is no classifier, lacks a parameter, or holds NaN or an infinity
     */
    public static ClassifierFile read(Path path) {
        SafetensorsFile file = Safetensors.read(path).requireFinite();
        Classifier classifier = classifier(file);
        List<float[]> values = new ArrayList<>();
        for (Parameter parameter : classifier.parameters().all()) {
            int[] shape =
                    parameter.layout().diskShape(parameter.value().shape()).toArray();
            values.add(file.require(parameter.name()).requireShape(shape).toFloats());
        }
        int i = 0;
        for (Parameter parameter : classifier.parameters().all()) {
            Weights.setDiskValues(parameter, values.get(i++));
        }
        return new ClassifierFile(classifier, file.metadata());
    }

    private static Classifier classifier(SafetensorsFile file) {
        String architecture = file.metadata().getOrDefault(ARCHITECTURE, ClassifierArchitecture.CNN.id());
        try {
            return new Classifier(new ClassifierConfig(
                    ClassifierArchitecture.of(architecture),
                    extent(file, HEIGHT),
                    extent(file, WIDTH),
                    extent(file, CHANNELS),
                    extent(file, CLASSES),
                    extent(file, BASE_CHANNELS),
                    extent(file, FEATURES)));
        } catch (IllegalArgumentException e) {
            throw new UserException(file.path() + " holds no classifier: " + e.getMessage(), e);
        }
    }

    private static int extent(SafetensorsFile file, String key) {
        String text = file.metadata().get(key);
        if (text == null) {
            throw new UserException(file.path() + " holds no classifier: its metadata lacks " + key);
        }
        return Integer.parseInt(text);
    }
}
