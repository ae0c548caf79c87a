package io.idempotency.spring;

import io.idempotency.InvalidExpiryException;
import io.idempotency.store.InvalidMessageIdException;
import java.util.Optional;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.kafka.listener.AbstractMessageListenerContainer;
import org.springframework.kafka.listener.ExceptionClassifier;
import org.springframework.kafka.retrytopic.DestinationTopic;
import org.springframework.kafka.retrytopic.DestinationTopicResolver;

/** Recognises the containers of retry and dead-letter topics of {@code @RetryableTopic} listeners. */
record RetryTopics(ObjectProvider<DestinationTopicResolver> resolver) {

    boolean isRetry(AbstractMessageListenerContainer<?, ?> container) {
        return topic(container)
                .filter(topic -> !topic.isMainTopic() && !topic.isDltTopic())
                .isPresent();
    }

    boolean isDeadLetter(AbstractMessageListenerContainer<?, ?> container) {
        return topic(container).filter(DestinationTopic::isDltTopic).isPresent();
    }

    private Optional<DestinationTopic> topic(AbstractMessageListenerContainer<?, ?> container) {
        DestinationTopicResolver known = resolver.getIfAvailable();
        String main = container.getMainListenerId();
        String[] topics = container.getContainerProperties().getTopics();
        return known == null || main == null || topics == null || topics.length == 0
                ? Optional.empty()
                : Optional.ofNullable(known.getDestinationTopicByName(main, topics[0]));
    }

    /** Keeps messages without a usable id or expiry off retry topics: they do not get one there. */
    void doNotRetryWithoutId() {
        if (resolver.getIfAvailable() instanceof ExceptionClassifier classifier) {
            classifier.addNotRetryableExceptions(InvalidMessageIdException.class, InvalidExpiryException.class);
        }
    }
}
