package io.idempotency.testkit.faults;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicPartition;

/** A listener of a Spring application, in its own container, on a real broker. */
final class SpringListener implements Subject {

    private static final long PAUSE_MILLIS = 2;

    private final SpringContainer container;
    private final SpringSender sender;
    private final Duration patience;
    private Map<TopicPartition, Long> firsts = Map.of();

    SpringListener(SpringContainer container, SpringSender sender, Duration patience) {
        this.container = container;
        this.sender = sender;
        this.patience = patience;
    }

    @Override
    public String messages() {
        List<String> read = container.wire().probe().history().ids();
        String ids = read.isEmpty() || sender.ids().size() > 1 ? String.join(", ", sender.ids()) : read.get(0);
        String positions = firsts.entrySet().stream()
                .map(each -> each.getKey() + "@" + each.getValue())
                .sorted()
                .collect(Collectors.joining(", "));
        return positions.isEmpty() ? ids : ids + " (" + positions + ")";
    }

    @Override
    public int count() {
        return sender.ids().size();
    }

    @Override
    public boolean hasHandler() {
        return container.hasHandler();
    }

    @Override
    public void deliver() {
        SpringWire wire = container.wire();
        wire.holdBack(sender.topics());
        Set<TopicPartition> partitions = container.assignable(sender.partitions());
        await("was not sent: its listener got no partitions", () -> wire.isAssigned(partitions));
        SpringSender.Offsets sent = sender.send();
        firsts = sent.firsts();
        wire.release(firsts, sent.ends());
        awaitSettled("was");
    }

    @Override
    public void deliverAgain() {
        SpringWire wire = container.wire();
        wire.holdBack(sender.topics());
        SpringSender.Offsets copies = sender.send();
        wire.releaseAgain(copies.firsts(), copies.ends());
        awaitSettled("or its copies were");
    }

    private void awaitSettled(String what) {
        await(
                what + " not settled within " + patience.toSeconds() + " s: its offset is not committed",
                container.wire()::isSettled);
    }

    private void await(String otherwise, BooleanSupplier condition) {
        long end = System.nanoTime() + patience.toNanos();
        while (!condition.getAsBoolean()) {
            if (container.wire().hasDied()) {
                container.restart();
            }
            if (System.nanoTime() - end > 0) {
                throw new NotSettledException(otherwise);
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(PAUSE_MILLIS));
        }
    }
}
