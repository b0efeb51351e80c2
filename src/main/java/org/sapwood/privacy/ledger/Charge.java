package org.sapwood.privacy.ledger;

import java.util.concurrent.atomic.AtomicBoolean;
import org.sapwood.privacy.accounting.PrivacyEvent;

/** One recorded step of an event. It pays for exactly one noised sum. */
public final class Charge {

    private final PrivacyEvent event;
    private final AtomicBoolean claimed = new AtomicBoolean();

    Charge(PrivacyEvent event) {
        this.event = event;
    }

    /** The event whose step was recorded. */
    public PrivacyEvent event() {
        return event;
    }

    /**
     * Uses the charge up.
     *
     * @param sensitivity the L2 sensitivity of the sum it pays for
     * @return the noise multiplier σ that the ledger recorded
     * @throws IllegalStateException if it was used before
     * @throws IllegalArgumentException if the ledger recorded another sensitivity
     */
    public double claim(double sensitivity) {
        if (sensitivity != event.sensitivity()) {
            throw new IllegalArgumentException("event '" + event.name() + "' is recorded with sensitivity "
                    + event.sensitivity() + ", but the sum has " + sensitivity);
        }
        if (!claimed.compareAndSet(false, true)) {
            throw new IllegalStateException(
                    "this charge of event '" + event.name() + "' already paid for a sum: charge the ledger again");
        }
        return event.noiseMultiplier();
    }
}
