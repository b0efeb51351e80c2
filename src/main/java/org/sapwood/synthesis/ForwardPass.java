package org.sapwood.synthesis;

import java.util.ArrayList;
import java.util.List;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.simple.RandomSource;
import org.sapwood.diffusion.DenoisingTape;
import org.sapwood.nn.UNet;
import org.sapwood.nn.UNetConfig;
import org.sapwood.parallel.WorkerPool;
import org.sapwood.tensor.Arena;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.BackendChoice;

/** The prediction of a batch of random images by several workers, micro-batch by micro-batch, without gradients. */
final class ForwardPass implements AutoCloseable {
    private final WorkerPool pool;
    private final List<Backend> backends = new ArrayList<>();
    private final List<Runnable> passOfWorker = new ArrayList<>();
    private final int passes;

    /**
     * Records one tape per worker.
     *
     * @param batch images per run; a last micro-batch that is not full is predicted in full
     * @param microBatch images per worker at a time, or 0 for what suits the backend
     */
    ForwardPass(UNet model, int batch, int microBatch, BackendChoice backend, int threads) {
        Backend first = backend.open();
        int images = Math.min(batch, microBatch > 0 ? microBatch : first.isDevice() ? batch : MicroBatch.HOST);
        passes = Math.ceilDiv(batch, images);
        pool = new WorkerPool(first.isDevice() ? 1 : threads);
        for (int i = 0; i < pool.workers(); i++) {
            Backend own = i == 0 ? first : backend.open();
            backends.add(own);
            DenoisingTape tape = tape(model, images, own, i);
            Runnable replay = own.record(tape::replay);
            passOfWorker.add(() -> {
                tape.load();
                replay.run();
            });
        }
    }

    private static DenoisingTape tape(UNet model, int batch, Backend backend, int seed) {
        UNetConfig config = model.config();
        boolean conditional = config.classes() > 0;
        DenoisingTape tape = DenoisingTape.forSampling(backend, new Arena(backend), model, batch, conditional);
        UniformRandomProvider rng = RandomSource.XO_SHI_RO_256_PP.create((long) seed);
        float[] image = new float[config.sampleSize() * config.sampleSize() * config.inChannels()];
        for (int slot = 0; slot < batch; slot++) {
            for (int j = 0; j < image.length; j++) {
                image[j] = rng.nextFloat(-1, 1);
            }
            tape.setImage(slot, image, 0);
            tape.setCondition(slot, rng.nextInt(1000), conditional ? rng.nextInt(config.classes()) : 0);
        }
        return tape;
    }

    /** Predicts the batch once. */
    void run() {
        pool.forEach(passes, (worker, pass) -> passOfWorker.get(worker).run());
    }

    boolean isOnDevice() {
        return backends.getFirst().isDevice();
    }

    /** Waits until all predictions so far are done. */
    void synchronize() {
        backends.forEach(Backend::synchronize);
    }

    @Override
    public void close() {
        pool.close();
        backends.forEach(Backend::close);
    }
}
