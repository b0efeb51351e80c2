/**
 * The page of a run: {@code report.html}, one file without scripts or requests, made from the files of the run folder
 * and nothing else.
 */
@NullMarked
package org.sapwood.report;

import org.jspecify.annotations.NullMarked;
