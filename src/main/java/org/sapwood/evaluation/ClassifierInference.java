package org.sapwood.evaluation;

import java.util.ArrayList;
import java.util.List;
import org.sapwood.autograd.Tape;
import org.sapwood.autograd.Variable;
import org.sapwood.data.ImageSet;
import org.sapwood.nn.Classifier;
import org.sapwood.nn.ClassifierConfig;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;

/** Runs a classifier over image sets, always with its present weights. */
final class ClassifierInference implements AutoCloseable {
    private static final int BATCH = 64;

    private final Workers workers;
    private final ClassifierConfig config;
    private final List<Lane> lanes = new ArrayList<>();

    ClassifierInference(Workers workers, Classifier classifier) {
        this.workers = workers;
        this.config = classifier.config();
        for (int i = 0; i < workers.threads(); i++) {
            lanes.add(new Lane(workers.openBackend(), classifier));
        }
    }

    /** One recorded copy of the classifier. */
    private static final class Lane {
        private final Backend backend;
        private final Tape tape;
        private final Variable x;
        private final Classifier.Outputs outputs;
        private final float[] pixels;
        private final float[] logits;
        private final float[] features;

        Lane(Backend backend, Classifier classifier) {
            ClassifierConfig config = classifier.config();
            this.backend = backend;
            tape = Tape.forInference(backend, new Arena(backend));
            x = tape.input(BATCH, config.height() * config.width(), config.channels());
            outputs = classifier.forward(tape, x);
            tape.keep(outputs.features());
            tape.keep(outputs.logits());
            tape.seal();
            pixels = new float[BATCH * config.imageLength()];
            logits = new float[BATCH * config.classes()];
            features = new float[BATCH * config.features()];
        }

        /** Classifies images [from, to), at most one batch; slots left over hold old images and are ignored. */
        void run(ImageSet images, int from, int to, ClassifierOutputs target) {
            for (int i = from; i < to; i++) {
                images.copyImage(i, pixels, (i - from) * images.imageLength());
            }
            backend.upload(pixels, 0, x.value());
            tape.forward();
            backend.download(outputs.logits().value(), logits, 0);
            backend.download(outputs.features().value(), features, 0);
            int count = to - from;
            int classes = target.classes();
            int length = target.featureLength();
            System.arraycopy(logits, 0, target.logits(), from * classes, count * classes);
            System.arraycopy(features, 0, target.features(), from * length, count * length);
        }
    }

    /** The outputs for every image, in order. */
    ClassifierOutputs run(ImageSet images) {
        int size = images.size();
        ClassifierOutputs target = new ClassifierOutputs(
                new float[Math.multiplyExact(size, config.classes())],
                new float[Math.multiplyExact(size, config.features())],
                config.classes(),
                config.features());
        workers.forStretches(
                size, BATCH, (worker, from, to) -> lanes.get(worker).run(images, from, to, target));
        return target;
    }

    @Override
    public void close() {
        lanes.forEach(lane -> lane.backend.close());
    }
}
