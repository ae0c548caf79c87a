package io.idempotency.memory;

import io.idempotency.store.Delivery;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineFailure;
import io.idempotency.store.QuarantineSelection;
import java.util.Set;

/** Tells which quarantined messages a selection chooses. */
final class MemorySelection {

    private MemorySelection() {}

    /** @param ids those of the selection */
    static boolean isChosen(QuarantineEntry entry, QuarantineSelection selection, Set<String> ids) {
        Delivery delivery = entry.message().delivery();
        QuarantineFailure failure = entry.message().failure();
        Position at = delivery.position();
        return delivery.id().consumer().equals(selection.consumer())
                && (ids.isEmpty() || ids.contains(delivery.id().value()))
                && selection
                        .failureType()
                        .filter(type -> !type.equals(failure.type()))
                        .isEmpty()
                && selection
                        .failureGroup()
                        .filter(group -> !group.equals(failure.group()))
                        .isEmpty()
                && selection.from().filter(entry.firstAt()::isBefore).isEmpty()
                && selection.to().filter(end -> !entry.firstAt().isBefore(end)).isEmpty()
                && selection.stream().filter(name -> !name.equals(at.stream())).isEmpty()
                && selection
                        .partition()
                        .filter(number -> number != at.partition())
                        .isEmpty()
                && (selection.partition().isEmpty()
                        || (selection.firstOffset() <= at.offset() && at.offset() <= selection.lastOffset()));
    }
}
