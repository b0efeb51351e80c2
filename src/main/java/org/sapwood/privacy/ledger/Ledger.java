package org.sapwood.privacy.ledger;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sapwood.io.AtomicFiles;
import org.sapwood.io.UserException;
import org.sapwood.privacy.accounting.Accountant;
import org.sapwood.privacy.accounting.PldAccountant;
import org.sapwood.privacy.accounting.PrivacyEvent;
import org.sapwood.privacy.accounting.RdpAccountant;

/**
 * The privacy ledger of one run: planned events, spent steps, ε of both.
 *
 * <p>On disk it is {@code privacy.json}, for people and for reading back, and beside it {@code privacy.spent}, a
 * journal with one synced line per step. {@code privacy.json} charges ahead: its {@code steps_spent} is at all times at
 * least the truth, and is exact once the ledger is closed. {@link #open} takes the exact number from the journal. So
 * neither under-reports after a kill at any instant, and nothing is lost but a step whose noise was never drawn.
 *
 * <p>Thread-safe.
 */
public final class Ledger implements AutoCloseable {

    /** The file for people. */
    public static final String FILE = "privacy.json";

    /** The journal beside it. */
    public static final String JOURNAL = "privacy.spent";

    /** How often privacy.json is rewritten over the steps of one event, at most. */
    private static final int REWRITES = 20;

    /** Fewer steps than this are not worth a rewrite of privacy.json: composing ε takes about a second. */
    private static final int LEAST_PER_REWRITE = 50;

    private final PldAccountant pld = new PldAccountant();
    private final RdpAccountant rdp = new RdpAccountant();
    private final List<PrivacyEvent> planned;
    private final double delta;
    private final String randomness;
    private final int[] spent;
    private final int[] chargedAhead;
    private final LedgerDocument.Epsilon plannedEpsilon;
    private final @Nullable Path file;
    private final @Nullable SpendingJournal journal;

    private Ledger(LedgerDocument document, @Nullable Path file, @Nullable SpendingJournal journal) {
        this.planned = document.events();
        this.delta = document.delta();
        this.randomness = document.randomness();
        this.spent = document.spent().clone();
        this.chargedAhead = spent.clone();
        this.plannedEpsilon = epsilon(planned);
        this.file = file;
        this.journal = journal;
    }

    /**
     * A ledger without files, for tests and measurements.
     *
     * @param planned the events, with distinct names
     * @param delta δ of the guarantee
     * @param randomness {@code RandomSource.description()}
     */
    public static Ledger inMemory(List<PrivacyEvent> planned, double delta, String randomness) {
        return new Ledger(LedgerDocument.unspent(planned, delta, randomness), null, null);
    }

    /**
     * Starts the ledger of a new run and writes it.
     *
     * @param folder the run's folder, which exists
     * @param planned the events, with distinct names
     * @param delta δ of the guarantee
     * @param randomness {@code RandomSource.description()}
     * @throws UserException if the folder already has a ledger
     * @throws UncheckedIOException if it cannot be written
     */
    public static Ledger create(Path folder, List<PrivacyEvent> planned, double delta, String randomness) {
        Path file = folder.resolve(FILE);
        if (Files.exists(file)) {
            throw new UserException(file + " already records a run: resume it, or choose another folder");
        }
        SpendingJournal journal = SpendingJournal.open(folder.resolve(JOURNAL));
        journal.clear();
        Ledger ledger = new Ledger(LedgerDocument.unspent(planned, delta, randomness), file, journal);
        ledger.write();
        return ledger;
    }

    /**
     * Reopens the ledger of a run that ended or was killed.
     *
     * @param folder the run's folder
     * @param randomness {@code RandomSource.description()} of the resumed run; once a run was not private it stays so
     * @throws UserException if the files cannot be read, are invalid, or another process holds them
     */
    public static Ledger open(Path folder, String randomness) {
        Path file = folder.resolve(FILE);
        LedgerDocument document = LedgerDocument.read(file);
        SpendingJournal journal = SpendingJournal.open(folder.resolve(JOURNAL));
        int[] exact = journal.replay(document);
        String worst = document.randomness().equals("secure") ? randomness : document.randomness();
        Ledger ledger =
                new Ledger(new LedgerDocument(document.events(), exact, exact, document.delta(), worst), file, journal);
        // The document must hold the exact count before the journal starts anew.
        ledger.write();
        journal.clear();
        return ledger;
    }

    /** The planned events. */
    public List<PrivacyEvent> planned() {
        return planned;
    }

    /** δ of the guarantee. */
    public double delta() {
        return delta;
    }

    /** {@code "secure"} or {@code "seeded, not private"}. */
    public String randomness() {
        return randomness;
    }

    /** Steps of an event already recorded as spent. */
    public synchronized int spent(String event) {
        return spent[indexOf(event)];
    }

    /** Steps of an event that may still be charged: a resumed run trains for these and no more. */
    public synchronized int remaining(String event) {
        int index = indexOf(event);
        return planned.get(index).steps() - spent[index];
    }

    /** ε of everything planned, by PLD: what the finished run guarantees. */
    public double plannedEpsilon() {
        return plannedEpsilon.pld();
    }

    /**
     * ε of what is spent, by an accountant; pass a {@link RdpAccountant} for a value at every step. Never more than what
     * is planned costs by PLD, of which the spent steps are a part.
     */
    public double spentEpsilon(Accountant accountant) {
        List<PrivacyEvent> events = spentEvents();
        if (events.equals(planned)) {
            return plannedEpsilon.pld();
        }
        return Math.min(accountant.epsilon(events, delta), plannedEpsilon.pld());
    }

    private synchronized List<PrivacyEvent> spentEvents() {
        return withSteps(spent);
    }

    private List<PrivacyEvent> withSteps(int[] steps) {
        List<PrivacyEvent> events = new ArrayList<>();
        for (int i = 0; i < steps.length; i++) {
            events.add(planned.get(i).withSteps(steps[i]));
        }
        return events;
    }

    /**
     * Records one step of an event as spent, durably, and only then returns what pays for its noise.
     *
     * @throws IllegalArgumentException if there is no such event
     * @throws IllegalStateException if all its planned steps are spent
     * @throws UncheckedIOException if it cannot be recorded; no noise may be drawn then
     */
    public synchronized Charge charge(String event) {
        int index = indexOf(event);
        PrivacyEvent query = planned.get(index);
        if (spent[index] >= query.steps()) {
            throw new IllegalStateException("all " + query.steps() + " planned steps of event '" + event
                    + "' are spent: the budget allows no more");
        }
        int count = spent[index] + 1;
        if (count > chargedAhead[index]) {
            int block = Math.max(LEAST_PER_REWRITE, Math.ceilDiv(query.steps(), REWRITES));
            chargedAhead[index] = (int) Math.min(query.steps(), spent[index] + (long) block);
            write();
        }
        if (journal != null) {
            journal.append(index, count);
        }
        spent[index] = count;
        return new Charge(query);
    }

    private int indexOf(String event) {
        for (int i = 0; i < planned.size(); i++) {
            if (planned.get(i).name().equals(event)) {
                return i;
            }
        }
        throw new IllegalArgumentException("the ledger has no event '" + event + "', only "
                + planned.stream().map(PrivacyEvent::name).toList());
    }

    private LedgerDocument.Epsilon epsilonOf(List<PrivacyEvent> events) {
        return events.equals(planned) ? plannedEpsilon : epsilon(events);
    }

    private LedgerDocument.Epsilon epsilon(List<PrivacyEvent> events) {
        return new LedgerDocument.Epsilon(pld.epsilon(events, delta), rdp.epsilon(events, delta));
    }

    private synchronized void write() {
        if (file == null) {
            return;
        }
        LedgerDocument document = new LedgerDocument(planned, chargedAhead, spent, delta, randomness);
        String json = document.toJson(plannedEpsilon, epsilonOf(withSteps(chargedAhead)));
        try {
            AtomicFiles.write(file, json.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot record the privacy budget in " + file, e);
        }
    }

    /** Writes the exact spent steps and releases the journal. */
    @Override
    public synchronized void close() {
        System.arraycopy(spent, 0, chargedAhead, 0, spent.length);
        write();
        if (journal != null) {
            journal.close();
        }
    }
}
