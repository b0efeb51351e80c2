package org.sapwood.nn;

import java.util.Locale;

/**
 * The networks that image sets are measured with. All use GroupNorm where their papers have BatchNorm, so that samples
 * never mix, and SiLU for ReLU. They are sized for images of about 28×28 and a training of minutes on two cores.
 */
public enum ClassifierArchitecture {
    /** Three strided convolutions and two fully connected layers. */
    CNN("CNN, 4 layers before the head", 32),
    /** A residual network of 14 layers (He et al. 2016) with blocks in pre-activation order, 16 to 64 channels. */
    RESNET("ResNet-14", 16),
    /** A wide residual network of 10 layers (Zagoruyko and Komodakis 2016), twice as wide: 32 to 128 channels. */
    WRN("WideResNet-10-2", 32);

    private final String description;
    private final int baseChannels;

    ClassifierArchitecture(String description, int baseChannels) {
        this.description = description;
        this.baseChannels = baseChannels;
    }

    /** The name in files and reports: {@code cnn}, {@code resnet} or {@code wrn}. */
    public String id() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** What it is, in the terms of its paper. */
    public String description() {
        return description;
    }

    /** The size that the evaluation uses, for these images and classes. */
    public ClassifierConfig standard(int height, int width, int channels, int classes) {
        int features = this == CNN ? 2 * baseChannels : ResidualBody.features(baseChannels);
        return new ClassifierConfig(this, height, width, channels, classes, baseChannels, features);
    }

    /** The architecture with this {@link #id}. */
    static ClassifierArchitecture of(String id) {
        for (ClassifierArchitecture architecture : values()) {
            if (architecture.id().equals(id)) {
                return architecture;
            }
        }
        throw new IllegalArgumentException("unknown architecture '" + id + "', expected cnn, resnet or wrn");
    }
}
