package io.idempotency.cli;

import io.idempotency.jdbc.JournalStore;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.QuarantineTotal;
import io.idempotency.store.StoredMessages.Retained;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeSet;
import picocli.CommandLine.Command;

/** Lists the consumers. */
@Command(
        name = "consumers",
        description = {
            "Lists the consumers of which something is remembered: their stores, how long and since when messages are remembered, and how many are in quarantine.",
            ""
        },
        footer = {"", "Example:", "  idempotency consumers --url jdbc:postgresql://db/orders --user ada"})
final class ConsumersCommand extends Reading {

    ConsumersCommand(Session session) {
        super(session);
    }

    @Override
    int run(Database database, Output output) {
        SortedMap<String, List<ClaimStore>> stores = database.stores().all();
        SortedMap<String, QuarantineTotal> quarantined = database.quarantine().totals();
        SortedSet<String> names = new TreeSet<>(stores.keySet());
        names.addAll(quarantined.keySet());
        List<Fields> rows = new ArrayList<>();
        for (String name : names) {
            Optional<QuarantineTotal> total = Optional.ofNullable(quarantined.get(name));
            List<ClaimStore> known = stores.getOrDefault(name, List.of());
            if (known.isEmpty()) {
                rows.add(row(name, "none", Optional.empty(), total));
            }
            for (ClaimStore store : known) {
                String kind = store instanceof JournalStore ? "journal" : "table";
                rows.add(row(name, kind, Optional.of(store.messages().retained(name)), total));
            }
        }
        output.list(rows);
        return rows.isEmpty() ? ExitCode.NOTHING : ExitCode.DONE;
    }

    private static Fields row(
            String name, String store, Optional<Retained> retained, Optional<QuarantineTotal> quarantined) {
        return Fields.of("consumer", name)
                .and("store", store)
                .and("retention", retained.flatMap(Retained::retention))
                .and("rememberedSince", retained.flatMap(Retained::since))
                .and("quarantined", quarantined.map(QuarantineTotal::messages).orElse(0L))
                .and("oldestQuarantined", quarantined.map(QuarantineTotal::oldest));
    }
}
