/**
 * Labelled image sets and where they come from: IDX files, folders and zip archives of class folders, CIFAR binary
 * files, and {@link org.sapwood.data.Glyphs}, the set built into the program. Every reader ends in an
 * {@link org.sapwood.data.ImageSet} of bytes in NHWC order, decided by the files and the options alone, never by the
 * order in which a file system lists them or by the number of threads. Nothing here prints or reports a count or any
 * other statistic of the images: a set may be private.
 */
@NullMarked
package org.sapwood.data;

import org.jspecify.annotations.NullMarked;
