package org.sapwood.synthesis;

import java.util.Arrays;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.sapwood.tensor.Backend;
import org.sapwood.tensor.Tensor;

/**
 * Adds micro-batch gradients in ascending order of micro-batches, whichever worker finishes first, so that ordinary
 * training, too, has the same bits for any number of threads.
 */
final class OrderedSum implements GradientEngine.RowConsumer {
    private final float[] sum;
    private final float[][] staged;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition advanced = lock.newCondition();
    private int turn;

    OrderedSum(int workers, int size) {
        sum = new float[size];
        staged = new float[workers][size];
    }

    /** Starts a new logical batch. */
    void clear() {
        Arrays.fill(sum, 0);
        turn = 0;
    }

    /** The live sum, complete when the engine's run has returned. */
    float[] sum() {
        return sum;
    }

    @Override
    public void accept(int worker, Backend backend, int microBatch, Tensor rows, int first, int count) {
        float[] mine = staged[worker];
        backend.download(rows, mine, 0);
        lock.lock();
        try {
            // Micro-batches are handed out in order, so the one that is waited for is always running.
            while (turn != microBatch) {
                advanced.await();
            }
            for (int i = 0; i < sum.length; i++) {
                sum[i] += mine[i];
            }
            turn++;
            advanced.signalAll();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting for micro-batch " + turn, e);
        } finally {
            lock.unlock();
        }
    }
}
