package io.idempotency.testkit.faults;

import io.idempotency.Consumption;
import io.idempotency.ConsumptionListener;
import io.idempotency.Outcome;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Whom the wrapped parts of an application ask whether a fault happens now: in the threads that deliver messages of a scenario, and there at the place that
 * the scenario names. Counts the places. Thread-safe; one scenario at a time.
 */
final class Probe implements ConsumptionListener {

    /** What a connection does at its commit. */
    enum AtCommit {
        COMMITS,
        DIES,
        BREAKS_BEFORE,
        BREAKS_AFTER
    }

    /** A thread may still deliver messages of an earlier scenario, which were never settled. */
    private final Map<Thread, History> delivering = new ConcurrentHashMap<>();

    private final Set<Thread> handling = ConcurrentHashMap.newKeySet();
    private final Set<Thread> dead = ConcurrentHashMap.newKeySet();
    private final Set<Thread> inside = ConcurrentHashMap.newKeySet();

    private Scenario scenario = Scenario.UNDISTURBED;
    private volatile History history = new History();
    private boolean isCounting;
    private boolean hasHappened;
    private boolean hasHandler;
    private boolean isFailed;
    private int handlerCalls;
    private int statements;
    private int commits;
    private int offsetCommits;
    private boolean goesOn;

    /**
     * Begins a scenario.
     *
     * @param callsHandler whether the handler is seen, so that its statements begin with it
     */
    synchronized void begin(Scenario next, History noted, boolean callsHandler) {
        scenario = next;
        history = noted;
        hasHandler = callsHandler;
        isCounting = true;
        hasHappened = false;
        isFailed = false;
        handlerCalls = 0;
        statements = 0;
        commits = 0;
        offsetCommits = 0;
        goesOn = false;
    }

    /** Ends the first deliveries: nothing is counted and nothing fails from now on. */
    synchronized void firstDelivered() {
        isCounting = false;
    }

    synchronized Scenario.Seen seen() {
        return new Scenario.Seen(handlerCalls, statements, commits, offsetCommits, goesOn);
    }

    /** Returns whether the fault has happened, if there is one. */
    synchronized boolean hasHappened() {
        return hasHappened || scenario.fault() == Fault.NONE;
    }

    History history() {
        return history;
    }

    /** Notes that the thread delivers messages of the scenario. */
    void delivers(String what) {
        history.delivered(what);
        delivering.put(Thread.currentThread(), history);
    }

    /** Notes that the thread has delivered them, and committed what there is to commit. */
    void hasDelivered() {
        delivering.remove(Thread.currentThread());
        handling.remove(Thread.currentThread());
    }

    /** Returns whether the process of this thread has died. */
    boolean isDead() {
        return dead.contains(Thread.currentThread());
    }

    /** Lets the process die once more, if somebody caught its death. */
    void requireAlive() {
        if (isDead()) {
            throw new ProcessDied(scenario);
        }
    }

    /** Notes that a new process lives in this thread. */
    void lives() {
        dead.remove(Thread.currentThread());
    }

    /** Notes that the thread goes through a wrapped connection. Returns false if it goes through another one already, because data sources wrap each other. */
    boolean enters() {
        return inside.add(Thread.currentThread());
    }

    void leaves() {
        inside.remove(Thread.currentThread());
    }

    private boolean isDelivering() {
        return delivering.get(Thread.currentThread()) == history;
    }

    void handlerBegins() {
        if (isDelivering()) {
            history.happened("the handler was called");
            handling.add(Thread.currentThread());
            synchronized (this) {
                handlerCalls++;
                if (isCounting && scenario.isAt(Fault.DIES_BEFORE_EFFECT, handlerCalls)) {
                    throw death();
                }
            }
        }
    }

    /** Notes the end of a handler. */
    void handlerEnds(@Nullable Throwable thrown) {
        if (!handling.remove(Thread.currentThread()) || !isDelivering()) {
            return;
        }
        if (thrown != null) {
            history.happened("the handler failed with " + History.words(thrown));
        }
        synchronized (this) {
            goesOn = offsetCommits > 0;
            boolean hasSwallowed = isFailed && thrown == null;
            isFailed = false;
            if (hasSwallowed) {
                history.swallowed();
            }
            if (thrown == null && isCounting && scenario.isAt(Fault.DIES_AFTER_EFFECT, handlerCalls)) {
                throw death();
            }
        }
    }

    /**
     * Notes a statement that changes something. Returns whether it fails.
     *
     * @param isAutoCommit whether it is a transaction of its own
     */
    boolean failsStatement(boolean isAutoCommit) {
        if (!isDelivering() || (hasHandler && handlerCalls() == 0)) {
            return false;
        }
        CodeLocation code = CodeLocation.current();
        if (code.isLibrary()) {
            return false;
        }
        if (isAutoCommit) {
            history.remark(
                    "A statement committed by itself, because its connection has no transaction: " + code.line());
        }
        synchronized (this) {
            statements++;
            goesOn = offsetCommits > 0;
            if (isCounting && scenario.isAt(Fault.STATEMENT_FAILS, statements)) {
                happens(" at " + code.line());
                isFailed = handling.contains(Thread.currentThread());
                return true;
            }
            return false;
        }
    }

    private synchronized int handlerCalls() {
        return handlerCalls;
    }

    /** Notes a commit. Returns what the connection does. */
    AtCommit commit() {
        if (!isDelivering()) {
            return AtCommit.COMMITS;
        }
        if (handling.contains(Thread.currentThread())) {
            history.remark("The handler committed a transaction of its own: "
                    + CodeLocation.current().line());
        }
        synchronized (this) {
            commits++;
            goesOn = offsetCommits > 0;
            if (!isCounting) {
                return AtCommit.COMMITS;
            }
            if (scenario.isAt(Fault.COMMIT_FAILS, commits)) {
                happens("");
                return AtCommit.BREAKS_BEFORE;
            }
            if (scenario.isAt(Fault.ANSWER_LOST, commits)) {
                happens("");
                return AtCommit.BREAKS_AFTER;
            }
            return scenario.isAt(Fault.DIES_BEFORE_COMMIT, commits) ? AtCommit.DIES : AtCommit.COMMITS;
        }
    }

    /** Notes a commit of offsets of the scenario's topics. */
    void offsetCommit() {
        if (isDelivering()) {
            synchronized (this) {
                offsetCommits++;
                goesOn = false;
                if (isCounting && scenario.isAt(Fault.DIES_BEFORE_OFFSET_COMMIT, offsetCommits)) {
                    throw death();
                }
            }
        }
    }

    /** Notes that offsets of the scenario's topics are committed. */
    void offsetsCommitted() {
        if (isDelivering()) {
            synchronized (this) {
                if (isCounting && scenario.isAt(Fault.DIES_AFTER_OFFSET_COMMIT, offsetCommits)) {
                    throw death();
                }
            }
        }
    }

    synchronized ProcessDied death() {
        happens("");
        dead.add(Thread.currentThread());
        return new ProcessDied(scenario);
    }

    private void happens(String where) {
        hasHappened = true;
        history.happened(scenario.past() + where);
    }

    @Override
    public void onConsumption(Consumption consumption) {
        if (!isDelivering()) {
            return;
        }
        history.identified(consumption.delivery().id().value());
        history.consumedAt(consumption.level());
        Optional<String> failure = consumption.failure().map(History::words);
        // A handler that failed has been noted already.
        String after = consumption.handlerNanos() > 0
                ? ""
                : failure.map(text -> " after " + text).orElse("");
        history.happened(consumption.outcome() + after);
        if (consumption.outcome() == Outcome.QUARANTINED) {
            history.quarantined(failure.orElse("an unknown failure"));
        }
    }

    /** Returns the failure of a statement: a lock timeout, which every database has, and which says nothing about the message. */
    static SQLException lockTimeout(String state) {
        return new SQLTimeoutException("The fault kit let this statement fail by a lock timeout", state);
    }
}
