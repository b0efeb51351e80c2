package org.sapwood.synthesis;

import java.util.List;
import org.apache.commons.rng.simple.RandomSource;
import org.sapwood.nn.Autoencoder;
import org.sapwood.nn.AutoencoderConfig;

/** Autoencoders small enough for a unit test. */
final class TinyAutoencoders {
    /** 28×28×1 to 14×14×2. */
    static final AutoencoderConfig CONFIG = new AutoencoderConfig(28, 1, List.of(4, 4), 1, 2, 2, false, 1);

    private TinyAutoencoders() {}

    static Autoencoder random(AutoencoderConfig config, long seed) {
        Autoencoder model = new Autoencoder(config);
        model.initialize(RandomSource.XO_SHI_RO_256_PP.create(seed));
        return model;
    }
}
