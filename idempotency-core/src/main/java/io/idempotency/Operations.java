package io.idempotency;

import io.idempotency.replay.Replay;
import io.idempotency.replay.ReplayPlan;
import io.idempotency.replay.ReplayRequest;
import io.idempotency.replay.ReplayStore;
import io.idempotency.store.AuditRecord;
import io.idempotency.store.AuditStore;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.ConflictException;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.MessageRange;
import io.idempotency.store.MessageStatus;
import io.idempotency.store.NotFoundException;
import io.idempotency.store.Printable;
import io.idempotency.store.QuarantineSelection;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.QuarantinedMessage;
import java.time.Instant;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.LongConsumer;
import java.util.function.Predicate;

/**
 * The verbs of operators: why a message was skipped, forget it, drop it from quarantine, and handle it again. Endpoint, page and command line call nothing
 * else.
 *
 * <p>Each verb that changes something needs a reason. It writes an audit record in the transaction of the change, and one line at INFO after the commit. So a
 * change without a record does not exist, and neither does a record without its change. The texts never hold bytes of messages.
 *
 * <p>A verb that finds nothing of its consumer asks whether that has a wrong name. If nothing is remembered of the consumer, and nothing of it is in
 * quarantine, the verb ends in a {@link NotFoundException} that names the consumers that are known, up to twenty. So a wrong name never looks like
 * success. A consumer of this process is known, one of another process from its first message on. The question takes one or two round trips.
 *
 * <p>A verb joins the active transaction, or uses its own. Immutable and thread-safe.
 */
public final class Operations {

    /** The verb of the audit whose subject is the very id. */
    static final String FORGET = "forget";

    private final Function<String, ClaimStore> stores;
    private final QuarantineStore quarantine;
    private final Optional<ReplayStore> replays;
    private final Acts acts;
    private final KnownConsumers consumers;

    private Operations(
            Function<String, ClaimStore> stores, QuarantineStore quarantine, Optional<ReplayStore> replays, Acts acts) {
        this.stores = stores;
        this.quarantine = quarantine;
        this.replays = replays;
        this.acts = acts;
        this.consumers = new KnownConsumers(stores, quarantine);
    }

    /** Returns the verbs on these stores, which share their transactions. The actor is {@code unknown}, the origin {@code api}. */
    public static Operations of(ClaimStore store, QuarantineStore quarantine, ReplayStore replays, AuditStore audit) {
        return of(consumer -> store, quarantine, Optional.of(replays), audit);
    }

    /** Returns the verbs on these stores, without those about replays. */
    public static Operations of(ClaimStore store, QuarantineStore quarantine, AuditStore audit) {
        return of(consumer -> store, quarantine, Optional.empty(), audit);
    }

    /**
     * Returns the verbs for consumers with different stores, such as a table and journals in one database. All of them share their transactions.
     *
     * @param stores returns the store of a consumer, or throws if it has none; asked for each verb
     */
    public static Operations of(
            Function<String, ClaimStore> stores,
            QuarantineStore quarantine,
            Optional<ReplayStore> replays,
            AuditStore audit) {
        return new Operations(stores, quarantine, replays, new Acts(audit, "unknown", "api"));
    }

    /**
     * Returns the same verbs for somebody else.
     *
     * @param actor who acts, as the audit names it
     * @param origin from where: {@code api}, {@code endpoint} or {@code cli}; at most 20 characters
     */
    public Operations as(String actor, String origin) {
        return new Operations(stores, quarantine, replays, acts.as(actor, origin));
    }

    /**
     * Explains what became of a message. Changes nothing. Takes some round trips; with journals, reads all segments of the consumer some times.
     *
     * @param id the id as it is remembered, or without its kind: {@code 4711} also finds {@code ~value:4711}, and {@code source id} a CloudEvent. Or the
     *     position of a quarantined message, such as {@code orders-3@18272}
     * @return each message that the text may mean and that is remembered; otherwise one whose status is {@code UNKNOWN}
     * @throws IdempotencyException if the text cannot be an id
     */
    public List<Explanation> explain(String consumer, String id) {
        List<Explanation> explained = new Explaining(store(consumer), quarantine).all(consumer, id);
        consumers.requireIf(explained.get(0).status() == MessageStatus.UNKNOWN, consumer);
        return explained;
    }

    /** Returns what {@link #forget(MessageId, String)} would do. Changes nothing. */
    public Forgotten countForgettable(MessageId id) {
        return ofKnown(id.consumer(), message(id).forgettable());
    }

    private OneMessage message(MessageId id) {
        return new OneMessage(store(id.consumer()), quarantine, consumers, id);
    }

    private Forgotten ofKnown(String consumer, Forgotten forgotten) {
        consumers.requireIf(forgotten.messages() + forgotten.quarantined() == 0, consumer);
        return forgotten;
    }

    /**
     * Forgets a message that was processed or dropped, so that its next delivery is handled. Duplicate caches of this process forget it after the commit,
     * those of other processes within ten seconds, by their {@link AuditWatch}; until then they may skip that delivery. Another process with a journal
     * notices at its next append, or after its revalidation time.
     *
     * @return 1 message, or 0 if it was not remembered
     * @throws ConflictException if the message is in quarantine or in progress
     */
    public Forgotten forget(MessageId id, String reason) {
        AuditRecord act = acts.of(FORGET, id.consumer(), id.value(), reason);
        ClaimStore store = store(id.consumer());
        boolean wasKnown = acts.within(store, () -> {
            message(id).requireForgettable();
            boolean known = store.forget(id);
            if (known) {
                store.transactions().afterCommit(() -> KnownDuplicates.forgetEverywhere(id));
                written(store, act.with(1, act.subject()));
            }
            return known;
        });
        return ofKnown(id.consumer(), new Forgotten(wasKnown ? 1 : 0, 0));
    }

    /** Counts what {@link #forget(MessageRange, String, LongConsumer)} would forget. Changes nothing. */
    public Forgotten countForgettable(MessageRange range) {
        return ofKnown(range.consumer(), new RangeForgetting(store(range.consumer()), range).count());
    }

    /**
     * Forgets the processed and dropped messages of a range, so that their next deliveries are handled. Works in batches, each in its own transaction, and in
     * the order of the store. Messages in quarantine or in progress stay. Caches follow as in {@link #forget(MessageId, String)}.
     *
     * <p>One audit record has the range and the total. Each batch raises it in its transaction, and until the last batch its subject ends with
     * {@code (unfinished)}. So after a crash the record says exactly what was done. To go on, call this again.
     *
     * @param progress is given the number of forgotten messages after each batch; if it throws, the rest is not forgotten
     * @throws IdempotencyException if a transaction is active
     */
    public Forgotten forget(MessageRange range, String reason, LongConsumer progress) {
        ClaimStore store = store(range.consumer());
        refuseActive(store);
        return ofKnown(range.consumer(), new RangeForgetting(store, range).forget(acts, reason, progress));
    }

    /**
     * Deletes a message from quarantine for good: its entry is deleted, and its id is dropped. From now on it is remembered for the retention, and copies of
     * it are skipped. One transaction.
     *
     * @return whether it was in quarantine; false if it was handled meanwhile, and then only its entry is deleted
     * @throws ConflictException if it is not in quarantine, belongs to a running replay, or is in progress
     */
    public boolean drop(MessageId id, String reason) {
        AuditRecord act = acts.of("drop", id.consumer(), id.value(), reason);
        ClaimStore store = store(id.consumer());
        return acts.within(store, () -> {
            Delivery delivery = message(id).takeFromQuarantine();
            boolean isDropped = store.messages().drop(delivery);
            written(store, act.with(1, act.subject()));
            return isDropped;
        });
    }

    /**
     * Drops the messages of a consumer that were quarantined before a moment, see {@link #drop}, by topic, partition and offset. Works in batches, each in its
     * own transaction, with one audit record as in {@link #forget(MessageRange, String, LongConsumer)}. Messages that belong to a running replay, that a handler
     * works on, or that this store does not remember, stay.
     *
     * @return how many messages were dropped
     * @throws IdempotencyException if a transaction is active
     */
    public long dropOlderThan(String consumer, Instant before, String reason) {
        ClaimStore store = store(consumer);
        refuseActive(store);
        AuditRecord act = acts.of("drop-old", consumer, "messages quarantined before " + before, reason);
        QuarantineSelection old = QuarantineSelection.of(consumer).to(before);
        long dropped =
                new LongAct(acts, store, act).run(new QuarantineExpiry(store, quarantine, old)::page, sofar -> {});
        consumers.requireIf(dropped == 0, consumer);
        return dropped;
    }

    /** Returns what {@link #importQuarantined} would do. Changes nothing. Two round trips for each message. */
    public Imported countImportable(String consumer, Iterator<QuarantinedMessage> messages, boolean isReplacing) {
        return new QuarantineImport(store(consumer), quarantine, consumer, isReplacing).count(messages);
    }

    /**
     * Puts messages into quarantine, such as those that were exported from another one, or whose bytes somebody has mended. From then on they can be replayed, and
     * their copies are skipped. A message that is processed, expired or dropped is left out; to import it all the same, forget it first. So is one that belongs to
     * a running replay or is in progress.
     *
     * <p>Works in the order given and in batches of 100, each in its own transaction, with one audit record as in {@link #forget(MessageRange, String, LongConsumer)}.
     * After a crash or an error, import again: what is in quarantine already is known. Some round trips for each message.
     *
     * @param messages of this consumer; read once
     * @param isReplacing whether a message that is in quarantine already gets bytes, failure and attempts of the import
     * @param progress is given the number of messages that were read, after each batch; if it throws, the rest is not imported
     * @throws IdempotencyException if a transaction is active, or a message belongs to another consumer
     */
    public Imported importQuarantined(
            String consumer,
            Iterator<QuarantinedMessage> messages,
            boolean isReplacing,
            String reason,
            LongConsumer progress) {
        ClaimStore store = store(consumer);
        refuseActive(store);
        return new QuarantineImport(store, quarantine, consumer, isReplacing).run(messages, acts, reason, progress);
    }

    private static void refuseActive(ClaimStore store) {
        if (store.transactions().isActive()) {
            throw new IdempotencyException(
                    "This takes several transactions, so do not call it within a transaction of yours");
        }
    }

    /** Returns what a replay would do. Changes nothing. */
    public ReplayPlan plan(ReplayRequest request) {
        ReplayPlan plan = replays().plan(request);
        consumers.requireIf(
                plan.total() + plan.inOtherReplays() == 0, request.selection().consumer());
        return plan;
    }

    /**
     * Asks for a replay, in the name of the actor. See {@link ReplayStore#request}.
     *
     * @throws ConflictException if no message is chosen, or each one belongs to another running replay
     * @throws IdempotencyException if there is no reason
     */
    public Replay replay(ReplayRequest request, String reason) {
        String consumer = request.selection().consumer();
        consumers.require(consumer);
        AuditRecord act = acts.of("replay", consumer, request.id() + ": " + request.selection(), reason);
        ClaimStore store = store(consumer);
        return acts.within(store, () -> {
            boolean isNew = replays().find(request.id()).isEmpty();
            Replay replay = replays().request(request.by(acts.actor(), reason));
            if (isNew) {
                written(store, act.with(replay.progress().total(), act.subject()));
            }
            return replay;
        });
    }

    /** Pauses a running replay. Returns whether it was running. */
    public boolean pauseReplay(String id, String reason) {
        return change("replay-pause", id, reason, replays()::pause);
    }

    /** Resumes a paused replay. Returns whether it was paused. */
    public boolean resumeReplay(String id, String reason) {
        return change("replay-resume", id, reason, replays()::resume);
    }

    /** Ends a replay; its messages stay in quarantine. Returns whether it went on until now. */
    public boolean stopReplay(String id, String reason) {
        return change("replay-stop", id, reason, name -> replays().stop(name, reason));
    }

    private boolean change(String verb, String id, String reason, Predicate<String> change) {
        String consumer = requireReplay(id).request().selection().consumer();
        AuditRecord act = acts.of(verb, consumer, id, reason);
        ClaimStore store = store(consumer);
        return acts.within(store, () -> {
            long left = requireReplay(id).progress().left();
            boolean isChanged = change.test(id);
            if (isChanged) {
                written(store, act.with(left, id));
            }
            return isChanged;
        });
    }

    private Replay requireReplay(String id) {
        return findReplay(id).orElseThrow(() -> new NotFoundException("There is no replay " + Printable.of(id)));
    }

    private ClaimStore store(String consumer) {
        return stores.apply(consumer);
    }

    private void written(ClaimStore store, AuditRecord act) {
        acts.write(act);
        store.transactions().afterCommit(() -> acts.log(act));
    }

    /** Returns the replay of this id. */
    public Optional<Replay> findReplay(String id) {
        return replays().find(id);
    }

    /** Lists up to {@code limit} replays of a consumer, the newest first. */
    public List<Replay> listReplays(String consumer, int limit) {
        List<Replay> found = replays().list(consumer, limit);
        consumers.requireIf(found.isEmpty(), consumer);
        return found;
    }

    private ReplayStore replays() {
        return replays.orElseThrow(
                () -> new IdempotencyException("There is no replay store: give one to Operations.of(..)"));
    }
}
