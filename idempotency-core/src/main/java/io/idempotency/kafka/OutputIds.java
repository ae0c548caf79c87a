package io.idempotency.kafka;

import io.idempotency.HandledMessages;
import io.idempotency.store.MessageId;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Headers;

/**
 * Derives ids for the outputs that a handler sends on its own thread, from the handled message and the content of the output. The number of an
 * output would not be enough: a run that is rolled back may send something else than the next run. Thread-safe.
 */
final class OutputIds {

    /** An output with the id of the message that is handled, in these headers. */
    record Copied(MessageId incoming, List<String> headers) {}

    private final List<String> headers;
    private final OutputContent content;

    /** Looks for ids in these headers, and in {@code ce_id}. */
    OutputIds(List<String> headers, OutputContent content) {
        this.headers = Stream.concat(headers.stream(), Stream.of(HeaderIds.ID)).toList();
        this.content = content;
    }

    /** Returns the headers in which the output carries the id of the message that is handled on this thread; empty if there are none. */
    Optional<Copied> copied(ProducerRecord<?, ?> output) {
        return HandledMessages.onThread().flatMap(handled -> copied(output.headers(), handled));
    }

    private Optional<Copied> copied(Headers output, HandledMessages handled) {
        List<String> copied = new ArrayList<>(1);
        Optional<MessageId> incoming = Optional.empty();
        for (String name : headers) {
            Optional<MessageId> of = id(output, name)
                    .flatMap(id -> handled.having(
                            name,
                            id,
                            message -> message instanceof ConsumerRecord<?, ?> record
                                    ? id(record.headers(), name)
                                    : Optional.empty()));
            if (of.isPresent() && (incoming.isEmpty() || incoming.equals(of))) {
                incoming = of;
                copied.add(name);
            }
        }
        return incoming.map(id -> new Copied(id, copied));
    }

    /** Returns the identity that a reader sees in the header: an id of CloudEvents counts together with its source. */
    private static Optional<String> id(Headers headers, String name) {
        Optional<String> id = HeaderIds.usable(headers, name);
        return name.equals(HeaderIds.ID)
                ? id.map(text -> HeaderIds.usable(headers, HeaderIds.SOURCE).orElse("") + '\n' + text)
                : id;
    }

    /** Returns the id for an output that has a copied one; empty if its content is not known. */
    Optional<String> replacing(Copied copied, ProducerRecord<?, ?> output) {
        return HandledMessages.onThread()
                .flatMap(handled -> derived(
                        handled,
                        copied.incoming(),
                        output,
                        name -> copied.headers().stream().anyMatch(name::equalsIgnoreCase)));
    }

    /** Returns the id for an output that has none; empty if not exactly one message is handled on this thread, or the content is not known. */
    Optional<String> missing(ProducerRecord<?, ?> output) {
        return HandledMessages.onThread()
                .flatMap(handled -> handled.single().flatMap(id -> derived(handled, id, output, name -> false)));
    }

    private Optional<String> derived(
            HandledMessages handled, MessageId incoming, ProducerRecord<?, ?> output, Predicate<String> isLeftOut) {
        return content.digest(output, isLeftOut)
                .map(digest -> DerivedIds.of(
                        incoming, digest, handled.nextNumber(List.of(incoming, ByteBuffer.wrap(digest)))));
    }
}
