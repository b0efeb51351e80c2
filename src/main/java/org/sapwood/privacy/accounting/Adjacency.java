package org.sapwood.privacy.accounting;

/** The neighbouring relation that a guarantee speaks of. Sums are sensitive to it, so it stands in every ledger. */
public enum Adjacency {
    /** Two data sets are neighbours when one holds exactly one example more than the other. */
    ADD_REMOVE
}
