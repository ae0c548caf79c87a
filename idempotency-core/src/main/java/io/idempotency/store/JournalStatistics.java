package io.idempotency.store;

/** What a store with journals tells of itself. No method makes a round trip. Thread-safe. */
public interface JournalStatistics {

    /** Returns how many bytes of memory the journals take in this process. */
    long memoryBytes();

    /** Returns how many messages the memory of this process has, those of archives included, of which it has filters only. */
    long rememberedMessages();

    /** Returns how many of {@link #rememberedMessages} are in archives. The others take about ten times as much memory each. */
    long archivedMessages();

    /** Returns how often this process has read what another one had appended to a journal it knew. */
    long catchUps();

    /**
     * Returns how often this process had to drop a journal from memory to read it anew, because its history was another one than before: it was purged
     * or archived meanwhile, or the database has lost commits.
     */
    long reloads();
}
