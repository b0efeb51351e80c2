package org.sapwood.nn;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.sapwood.io.Json;

/** Configurations of models that are published for diffusers, as their files have them. */
public final class DdpmConfigs {
    private DdpmConfigs() {}

    /** The {@code config.json} of google/ddpm-cifar10-32. */
    public static String cifar10Json() {
        try (InputStream stream = DdpmConfigs.class.getResourceAsStream("ddpm-cifar10-32.json")) {
            return new String(Objects.requireNonNull(stream).readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** google/ddpm-cifar10-32, unconditional, 35.7 million parameters. */
    public static UNetConfig cifar10() {
        return UNetConfig.fromJson(Json.parseObject(cifar10Json(), "google/ddpm-cifar10-32"));
    }
}
