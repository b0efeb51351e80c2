package org.sapwood.cli;

import org.sapwood.synthesis.Method;

/**
 * Defaults that differ between methods; the reasons are in docs/methods.md.
 *
 * @param batch expected images per step
 * @param steps training steps
 * @param augmentations changed copies of an image per step
 * @param timestepsPerImage draws of each copy
 * @param clipNorm L2 norm of one example's gradient
 * @param timesteps distribution of training timesteps
 */
record MethodDefaults(
        int batch, int steps, int augmentations, int timestepsPerImage, double clipNorm, String timesteps) {
    /** How {@code --help} tells {@link #of}. */
    static final String BATCH = "256; 1024 for dp-diffusion, all images for dpaf";

    static final String STEPS = "1000; 200 for dp-diffusion, 4 for dpaf";
    static final String AUGMENTATIONS = "4; 1 for dp-diffusion";
    static final String TIMESTEPS_PER_IMAGE = "1; 4 for dp-diffusion";
    static final String CLIP_NORM = "0.1; 0.001 for dp-diffusion";
    static final String TIMESTEPS = "uniform; 0.015:0-30,0.785:30-600,0.2:600-1000 for dp-diffusion";

    private static final MethodDefaults COMMON = new MethodDefaults(256, 1000, 4, 1, 0.1, "uniform");

    /** Few steps with large batches, a small norm and no step at which there is little to learn (arXiv 2302.13861). */
    private static final MethodDefaults DP_DIFFUSION =
            new MethodDefaults(1024, 200, 1, 4, 1e-3, "0.015:0-30,0.785:30-600,0.2:600-1000");

    /** Of DPAF only batch and steps are read here. */
    private static final MethodDefaults DPAF =
            new MethodDefaults(DpafOptionsGroup.BATCH, DpafOptionsGroup.STEPS, 1, 1, 0.1, "uniform");

    /** The defaults of {@code method}. */
    static MethodDefaults of(Method method) {
        return switch (method) {
            case DP_DIFFUSION -> DP_DIFFUSION;
            case DPAF -> DPAF;
            case DP_SAPF, DP_LORA, DP_LDM, NON_PRIVATE -> COMMON;
        };
    }
}
