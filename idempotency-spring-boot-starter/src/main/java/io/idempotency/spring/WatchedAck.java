package io.idempotency.spring;

import io.idempotency.WatchedCall;
import java.time.Duration;
import org.springframework.kafka.support.Acknowledgment;

/** Passes acknowledgments on to the container, and notes which records of a call are acknowledged after the listener has returned. Thread-safe. */
final class WatchedAck implements Acknowledgment {

    private final Acknowledgment containers;
    private final WatchedCall call;
    private final int size;
    private int acknowledged;
    private boolean isReturned;

    WatchedAck(Acknowledgment containers, WatchedCall call, int size) {
        this.containers = containers;
        this.call = call;
        this.size = size;
    }

    /** Notes that the listener has returned without an exception. */
    synchronized void returned() {
        isReturned = true;
        call.handled(acknowledged);
    }

    private synchronized void acknowledged(int count) {
        acknowledged = Math.max(acknowledged, count);
        if (isReturned) {
            call.handled(acknowledged);
        }
    }

    @Override
    public void acknowledge() {
        containers.acknowledge();
        acknowledged(size);
    }

    @Override
    public void acknowledge(int index) {
        containers.acknowledge(index);
        acknowledged(index + 1);
    }

    @Override
    public void nack(Duration sleep) {
        containers.nack(sleep);
    }

    @Override
    public void nack(int index, Duration sleep) {
        containers.nack(index, sleep);
        acknowledged(index);
    }

    @Override
    public boolean isOutOfOrderCommit() {
        return containers.isOutOfOrderCommit();
    }
}
