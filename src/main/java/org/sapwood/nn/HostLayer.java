package org.sapwood.nn;

import java.util.ArrayList;
import java.util.List;
import org.sapwood.tensor.Backend;

/** A part of a network that only runs forward, one image at a time, outside any tape. It may be shared by workers. */
@FunctionalInterface
interface HostLayer {
    /** The output for {@code x}, which stays as it is; {@code backend} belongs to the caller and computes on the heap. */
    HostMap apply(Backend backend, HostMap x);

    /** One layer after the other. */
    static HostLayer sequence(HostLayer... layers) {
        return (backend, x) -> {
            HostMap y = x;
            for (HostLayer layer : layers) {
                y = layer.apply(backend, y);
            }
            return y;
        };
    }

    /** The outputs of several layers for one input, side by side along channels. */
    static HostLayer concat(HostLayer... branches) {
        return (backend, x) -> {
            List<HostMap> parts = new ArrayList<>();
            int channels = 0;
            for (HostLayer branch : branches) {
                HostMap part = branch.apply(backend, x);
                parts.add(part);
                channels += part.channels();
            }
            HostMap shape = parts.getFirst();
            int tokens = shape.height() * shape.width();
            float[] y = new float[tokens * channels];
            int from = 0;
            for (HostMap part : parts) {
                for (int t = 0; t < tokens; t++) {
                    System.arraycopy(part.values(), t * part.channels(), y, t * channels + from, part.channels());
                }
                from += part.channels();
            }
            return new HostMap(y, shape.height(), shape.width(), channels);
        };
    }
}
