/**
 * Denoising diffusion: noise schedules, the distribution of training timesteps, the denoising loss as a replayable tape,
 * samplers that turn noise into images, and averaged weights.
 */
@NullMarked
package org.sapwood.diffusion;

import org.jspecify.annotations.NullMarked;
