/**
 * The logic of {@code sapwood compare}: reads a spec of experiments, expands it into cells, runs the commands of each
 * in processes of their own, goes on where a killed comparison stopped, and reduces the run folders to a table and a
 * picture. What is done is known from the run folders and from one small file per cell; nothing else is remembered.
 *
 * <p>It knows the commands only by their command lines: {@link org.sapwood.cli.compare.CommandLines} checks them and
 * {@link org.sapwood.cli.compare.Launcher} runs them.
 */
@NullMarked
package org.sapwood.cli.compare;

import org.jspecify.annotations.NullMarked;
