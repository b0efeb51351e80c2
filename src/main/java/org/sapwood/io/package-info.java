/**
 * Files and formats: atomic writes, safetensors, JSON, PNG and contact sheets, the folder of a run, and the facts about
 * the machine that go into its record. This package stands at the bottom beside {@code tensor}: everything above may use
 * it, and it uses nothing above. Whatever a user can cause (a truncated file, a full disk, an unreadable folder) ends in
 * a {@link org.sapwood.io.UserException} whose message names the file, what was found and what was expected.
 */
@NullMarked
package org.sapwood.io;

import org.jspecify.annotations.NullMarked;
