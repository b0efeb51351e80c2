package org.sapwood.privacy.ledger;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sapwood.io.UserException;
import org.sapwood.privacy.accounting.PldAccountant;
import org.sapwood.privacy.accounting.PrivacyEvent;
import org.sapwood.privacy.accounting.RdpAccountant;

/** The ledger never under-reports, whenever the process dies, and its files are checked when read. */
class LedgerTest {

    private static final List<PrivacyEvent> EVENTS =
            List.of(new PrivacyEvent("selection", 1, 20, 0.25, 1), new PrivacyEvent("training", 0.05, 1.2, 1, 100));

    @TempDir
    Path folder;

    private int stepsInFile() throws IOException {
        return LedgerDocument.read(folder.resolve(Ledger.FILE)).spent()[1];
    }

    private Path copyOfRunAsAKillWouldLeaveIt() throws IOException {
        Path copy = Files.createTempDirectory(folder, "killed");
        Files.copy(folder.resolve(Ledger.FILE), copy.resolve(Ledger.FILE));
        Files.copy(folder.resolve(Ledger.JOURNAL), copy.resolve(Ledger.JOURNAL));
        return copy;
    }

    @Test
    void neverUnderReportsAtAnyStep() throws IOException {
        try (Ledger ledger = Ledger.create(folder, EVENTS, 1e-5, "secure")) {
            ledger.charge("selection");
            for (int step = 1; step <= 12; step++) {
                Charge charge = ledger.charge("training");
                assertEquals(1.2, charge.event().noiseMultiplier());
                assertTrue(stepsInFile() >= step, "privacy.json says " + stepsInFile() + " at step " + step);
                Path killed = copyOfRunAsAKillWouldLeaveIt();
                try (Ledger reread = Ledger.open(killed, "secure")) {
                    assertEquals(step, reread.spent("training"));
                    assertEquals(100 - step, reread.remaining("training"));
                    assertEquals(0, reread.remaining("selection"));
                }
            }
        }
        assertEquals(12, stepsInFile());
    }

    /** Killed twice, the second time before the resumed run's first line: nothing is lost, nothing is invented. */
    @Test
    void resumesExactlyAfterSeveralKills() throws IOException {
        try (Ledger ledger = Ledger.create(folder, EVENTS, 1e-5, "secure")) {
            ledger.charge("training");
            ledger.charge("training");
            Path killed = copyOfRunAsAKillWouldLeaveIt();
            Ledger.open(killed, "secure").close();
            try (Ledger again = Ledger.open(killed, "secure")) {
                assertEquals(2, again.spent("training"));
                again.charge("training");
            }
            try (Ledger last = Ledger.open(killed, "secure")) {
                assertEquals(3, last.spent("training"));
            }
        }
    }

    @Test
    void tornLineIsIgnoredAndAMissingJournalCountsWhatWasChargedAhead() throws IOException {
        try (Ledger ledger = Ledger.create(folder, EVENTS, 1e-5, "secure")) {
            ledger.charge("training");
            Path torn = copyOfRunAsAKillWouldLeaveIt();
            Files.writeString(torn.resolve(Ledger.JOURNAL), "1", StandardOpenOption.APPEND);
            try (Ledger reread = Ledger.open(torn, "secure")) {
                assertEquals(1, reread.spent("training"));
            }
            Path missing = copyOfRunAsAKillWouldLeaveIt();
            Files.delete(missing.resolve(Ledger.JOURNAL));
            try (Ledger reread = Ledger.open(missing, "secure")) {
                assertEquals(50, reread.spent("training"));
            }
            Path garbled = copyOfRunAsAKillWouldLeaveIt();
            Files.writeString(garbled.resolve(Ledger.JOURNAL), "1 x\n", StandardOpenOption.APPEND);
            UserException thrown = assertThrows(UserException.class, () -> Ledger.open(garbled, "secure"));
            assertTrue(thrown.getMessage().contains("line 2"), thrown.getMessage());
        }
    }

    @Test
    void refusesToSpendMoreThanPlanned() {
        Ledger ledger = Ledger.inMemory(EVENTS, 1e-5, "secure");
        ledger.charge("selection");
        assertThrows(IllegalStateException.class, () -> ledger.charge("selection"));
        assertThrows(IllegalArgumentException.class, () -> ledger.charge("other"));
    }

    @Test
    void reportsEpsilonOfPlanAndSpending() {
        Ledger ledger = Ledger.inMemory(EVENTS, 1e-5, "secure");
        PldAccountant pld = new PldAccountant();
        assertEquals(0, ledger.spentEpsilon(pld));
        ledger.charge("selection");
        assertEquals(pld.epsilon(EVENTS.subList(0, 1), 1e-5), ledger.spentEpsilon(pld));
        assertEquals(pld.epsilon(EVENTS, 1e-5), ledger.plannedEpsilon());
        assertTrue(ledger.spentEpsilon(new RdpAccountant()) < ledger.plannedEpsilon());
    }

    @Test
    void onceNotPrivateAlwaysNotPrivate() {
        Ledger.create(folder, EVENTS, 1e-5, "seeded, not private").close();
        try (Ledger ledger = Ledger.open(folder, "secure")) {
            assertEquals("seeded, not private", ledger.randomness());
        }
        try (Ledger ledger = Ledger.open(folder, "secure")) {
            assertEquals("seeded, not private", ledger.randomness());
        }
    }

    @Test
    void twoProcessesCannotSpendOneBudget() {
        try (Ledger ledger = Ledger.create(folder, EVENTS, 1e-5, "secure")) {
            assertThrows(UserException.class, () -> Ledger.open(folder, ledger.randomness()));
            assertThrows(UserException.class, () -> Ledger.create(folder, EVENTS, 1e-5, "secure"));
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"q\" : 0.05 | \"q\" : 3 | events[1]: samplingRate must be in [0, 1], got 3.0",
                "\"sigma\" : 1.2 | \"sigma\" : null | events[1].sigma must be a number",
                "\"steps\" : 100 | \"steps\" : 0.5 | events[1].steps must be a whole number, got 0.5",
                "\"steps_spent\" : 0 | \"steps_spent\" : -1 | steps_spent must be from 0 to",
                "\"ADD_REMOVE\" | \"REPLACE\" | adjacency must be ADD_REMOVE, got REPLACE",
                "\"delta\" : 1.0E-5 | \"delta\" : 7 | delta must be in (0, 1), got 7.0",
                "\"selection\" | \"training\" | event names must be distinct",
                "\"format\" : 1 | \"format\" : 2 | format must be 1, got 2"
            })
    void errorsNameTheField(String original, String replacement, String message) throws IOException {
        Ledger.create(folder, EVENTS, 1e-5, "secure").close();
        Path file = folder.resolve(Ledger.FILE);
        String text = Files.readString(file);
        assertTrue(text.contains(original), text);
        Files.writeString(file, text.replace(original, replacement));
        UserException thrown = assertThrows(UserException.class, () -> Ledger.open(folder, "secure"));
        assertTrue(thrown.getMessage().contains(message), thrown.getMessage());
        assertTrue(thrown.getMessage().contains(Ledger.FILE), thrown.getMessage());
    }
}
