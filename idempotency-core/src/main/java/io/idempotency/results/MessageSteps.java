package io.idempotency.results;

import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.idempotency.store.ResultStore;
import io.idempotency.store.Sha256;
import io.idempotency.store.StoredResult;
import io.idempotency.store.TransientStoreException;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The steps of one message, while its handler runs. Confined to the thread of the handler. */
public final class MessageSteps {

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,100}");

    private static final byte[] NOTHING = {};

    private final ResultStore results;
    private final ResultCodec codec;
    private final Claim claim;
    private final boolean isRecording;
    private final Map<String, StoredResult> finished = new LinkedHashMap<>();
    private final Set<String> asked = new HashSet<>();
    private @Nullable String running;

    MessageSteps(ResultStore results, ResultCodec codec, Claim claim) {
        this.results = results;
        this.codec = codec;
        this.claim = claim;
        this.isRecording = true;
        List<StoredResult> found = results.find(id());
        if (claim.attempt() == 1 && !found.isEmpty()) {
            // The first attempt has finished nothing yet: they are of a message with this id that was forgotten.
            results.clear(claim);
            return;
        }
        for (StoredResult each : found) {
            if (!each.name().equals(AnsweringConsumer.NAME)) {
                finished.put(each.name(), each);
            }
        }
    }

    /** Steps that are called each time, with keys of their own, and not recorded. */
    MessageSteps(ResultStore results, ResultCodec codec) {
        this.results = results;
        this.codec = codec;
        this.claim = Claim.granted(
                new Delivery(new MessageId("none", UUID.randomUUID().toString()), Position.UNKNOWN));
        this.isRecording = false;
    }

    /** A step with a result. */
    @FunctionalInterface
    public interface Call<T, E extends Exception> {

        /**
         * Runs the step.
         *
         * @param key a UUID, the same for each attempt of this step of this message
         * @return its result, not null
         */
        T call(String key) throws E;
    }

    /** A step without a result. */
    @FunctionalInterface
    public interface Action<E extends Exception> {

        /** Runs the step; the key is that of {@link Call#call}. */
        void run(String key) throws E;
    }

    /**
     * Returns the result of a step that is finished, or runs the step and records its result.
     *
     * <p>If the process dies before the record is committed, or the lease has gone to another attempt meanwhile, the step runs again, with the same key. It may
     * still be running elsewhere then.
     *
     * @param name unique in the handler, stable: up to 100 letters, digits, dots, underscores and hyphens
     * @throws StepChangedException if the finished step had another type, or if a new step comes while a finished one was not asked for
     * @throws IdempotencyException if it is called within another step or in a transaction
     * @throws TransientStoreException if another attempt has taken the lease; the result is not recorded
     */
    public <T, E extends Exception> T once(String name, Class<T> type, Call<T, E> step) throws E {
        StoredResult before = ask(name, type.getName());
        if (before != null) {
            return Codecs.read(codec, id(), before, type);
        }
        T value = running(name, () -> step.call(key(name)));
        if (value == null) {
            throw new IdempotencyException(
                    "Step " + name + " of " + claim.delivery()
                            + " returned null, which cannot be recorded. Use the form without a type for a step without a result");
        }
        StoredResult result = new StoredResult(name, type.getName(), NOTHING, Codecs.write(codec, id(), name, value));
        T asRead = Codecs.read(codec, id(), result, type);
        record(result);
        return asRead;
    }

    /** Runs a step without a result, unless it is finished; see the other form. */
    public <E extends Exception> void once(String name, Action<E> step) throws E {
        if (ask(name, void.class.getName()) == null) {
            running(name, () -> {
                step.run(key(name));
                return true;
            });
            record(new StoredResult(name, void.class.getName(), NOTHING, NOTHING));
        }
    }

    /** What runs as a step. */
    private interface Work<T, E extends Exception> {
        T run() throws E;
    }

    private <T, E extends Exception> T running(String name, Work<T, E> work) throws E {
        running = name;
        boolean isDone = false;
        try {
            T value = work.run();
            isDone = true;
            return value;
        } finally {
            running = null;
            if (!isDone) {
                // It may be tried again in the same call of the handler.
                asked.remove(name);
            }
        }
    }

    private @Nullable StoredResult ask(String name, String type) {
        if (!NAME.matcher(name).matches()) {
            throw new IdempotencyException("\"" + name.replaceAll("\\p{Cntrl}", "?")
                    + "\" is no name of a step: up to 100 letters, digits, dots, underscores and hyphens");
        }
        if (running != null) {
            throw new IdempotencyException("Step " + name + " of " + claim.delivery() + " is called within step "
                    + running + ". Call steps one after the other");
        }
        if (isRecording) {
            results.requirePuttable(claim);
        }
        if (!asked.add(name)) {
            throw new IdempotencyException("The handler of " + claim.delivery() + " has two steps named " + name
                    + ". Give each a name of its own, such as one with the number of the line");
        }
        StoredResult before = finished.get(name);
        if (before == null) {
            requireAllAsked();
        } else if (!before.type().equals(type)) {
            throw new StepChangedException(
                    id(), "Step " + name + " returned " + before.type() + ", and now returns " + type);
        }
        return before;
    }

    /** @throws StepChangedException if a finished step was not asked for */
    void requireAllAsked() {
        for (String name : finished.keySet()) {
            if (!asked.contains(name)) {
                throw new StepChangedException(
                        id(), "The handler no longer has the step " + name + ", or comes to it later");
            }
        }
    }

    private void record(StoredResult result) {
        if (isRecording) {
            results.put(claim, result);
        }
        finished.put(result.name(), result);
    }

    private String key(String name) {
        // Consumer names and those of steps have no slash.
        String step = id().consumer() + "/" + name + "/" + id().value();
        return Sha256.uuid(step.getBytes(StandardCharsets.UTF_8)).toString();
    }

    private MessageId id() {
        return claim.delivery().id();
    }
}
