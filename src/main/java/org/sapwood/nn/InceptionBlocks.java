package org.sapwood.nn;

import static org.sapwood.nn.HostLayer.concat;
import static org.sapwood.nn.HostLayer.sequence;

/**
 * The layers of Inception-v3, block by block as torchvision writes them.
 *
 * @param weights where the convolutions come from
 */
record InceptionBlocks(InceptionWeights weights) {
    /** Everything up to the last feature map, [8, 8, 2048] for images of 299×299. */
    HostLayer layers(Inception.Variant variant) {
        boolean fid = variant == Inception.Variant.FID;
        HostPool average = new HostPool(fid ? HostPool.Kind.MEAN : HostPool.Kind.MEAN_WITH_PADDING, 1, 1);
        HostPool last = fid ? new HostPool(HostPool.Kind.MAX, 1, 1) : average;
        HostPool halving = new HostPool(HostPool.Kind.MAX, 2, 0);
        return sequence(
                valid("Conv2d_1a_3x3", 3, 32, 2),
                valid("Conv2d_2a_3x3", 32, 32, 1),
                same("Conv2d_2b_3x3", 32, 64, 3, 3),
                halving,
                same("Conv2d_3b_1x1", 64, 80, 1, 1),
                valid("Conv2d_4a_3x3", 80, 192, 1),
                halving,
                blockA("Mixed_5b", 192, 32, average),
                blockA("Mixed_5c", 256, 64, average),
                blockA("Mixed_5d", 288, 64, average),
                blockB("Mixed_6a", 288, halving),
                blockC("Mixed_6b", 128, average),
                blockC("Mixed_6c", 160, average),
                blockC("Mixed_6d", 160, average),
                blockC("Mixed_6e", 192, average),
                blockD("Mixed_7a", 768, halving),
                blockE("Mixed_7b", 1280, average),
                blockE("Mixed_7c", 2048, last));
    }

    private HostLayer same(String name, int in, int out, int kernelHeight, int kernelWidth) {
        return weights.convolution(name, in, out, kernelHeight, kernelWidth, 1, true);
    }

    /** A 3×3 convolution without padding. */
    private HostLayer valid(String name, int in, int out, int stride) {
        return weights.convolution(name, in, out, 3, 3, stride, false);
    }

    private HostLayer blockA(String name, int in, int poolFeatures, HostPool pool) {
        return concat(
                same(name + ".branch1x1", in, 64, 1, 1),
                sequence(same(name + ".branch5x5_1", in, 48, 1, 1), same(name + ".branch5x5_2", 48, 64, 5, 5)),
                sequence(
                        same(name + ".branch3x3dbl_1", in, 64, 1, 1),
                        same(name + ".branch3x3dbl_2", 64, 96, 3, 3),
                        same(name + ".branch3x3dbl_3", 96, 96, 3, 3)),
                sequence(pool, same(name + ".branch_pool", in, poolFeatures, 1, 1)));
    }

    private HostLayer blockB(String name, int in, HostPool pool) {
        return concat(
                valid(name + ".branch3x3", in, 384, 2),
                sequence(
                        same(name + ".branch3x3dbl_1", in, 64, 1, 1),
                        same(name + ".branch3x3dbl_2", 64, 96, 3, 3),
                        valid(name + ".branch3x3dbl_3", 96, 96, 2)),
                pool);
    }

    private HostLayer blockC(String name, int inner, HostPool pool) {
        int in = 768;
        return concat(
                same(name + ".branch1x1", in, 192, 1, 1),
                sequence(
                        same(name + ".branch7x7_1", in, inner, 1, 1),
                        same(name + ".branch7x7_2", inner, inner, 1, 7),
                        same(name + ".branch7x7_3", inner, 192, 7, 1)),
                sequence(
                        same(name + ".branch7x7dbl_1", in, inner, 1, 1),
                        same(name + ".branch7x7dbl_2", inner, inner, 7, 1),
                        same(name + ".branch7x7dbl_3", inner, inner, 1, 7),
                        same(name + ".branch7x7dbl_4", inner, inner, 7, 1),
                        same(name + ".branch7x7dbl_5", inner, 192, 1, 7)),
                sequence(pool, same(name + ".branch_pool", in, 192, 1, 1)));
    }

    private HostLayer blockD(String name, int in, HostPool pool) {
        return concat(
                sequence(same(name + ".branch3x3_1", in, 192, 1, 1), valid(name + ".branch3x3_2", 192, 320, 2)),
                sequence(
                        same(name + ".branch7x7x3_1", in, 192, 1, 1),
                        same(name + ".branch7x7x3_2", 192, 192, 1, 7),
                        same(name + ".branch7x7x3_3", 192, 192, 7, 1),
                        valid(name + ".branch7x7x3_4", 192, 192, 2)),
                pool);
    }

    private HostLayer blockE(String name, int in, HostPool pool) {
        return concat(
                same(name + ".branch1x1", in, 320, 1, 1),
                sequence(same(name + ".branch3x3_1", in, 384, 1, 1), split(name + ".branch3x3_2")),
                sequence(
                        same(name + ".branch3x3dbl_1", in, 448, 1, 1),
                        same(name + ".branch3x3dbl_2", 448, 384, 3, 3),
                        split(name + ".branch3x3dbl_3")),
                sequence(pool, same(name + ".branch_pool", in, 192, 1, 1)));
    }

    private HostLayer split(String name) {
        return concat(same(name + "a", 384, 384, 1, 3), same(name + "b", 384, 384, 3, 1));
    }
}
