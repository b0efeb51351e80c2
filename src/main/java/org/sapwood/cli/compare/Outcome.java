package org.sapwood.cli.compare;

import java.util.Optional;

/**
 * How far a cell is and what its folder says.
 *
 * @param cell the experiment
 * @param complete whether it was trained, sampled and evaluated
 * @param resumed whether its training was killed once
 * @param failure why the last attempt failed, empty if it did not
 * @param result what its folder says, empty if no run was begun there
 */
record Outcome(Cell cell, boolean complete, boolean resumed, String failure, Optional<CellResult> result) {
    static Outcome of(CellFolder folder) {
        CellRecord record = folder.record();
        return new Outcome(
                folder.cell(), folder.isComplete(), record.resumed(), record.failure(), CellResult.read(folder.run()));
    }
}
