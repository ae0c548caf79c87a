package io.idempotency.kafka;

import java.util.List;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.InvalidOffsetException;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.FencedMemberEpochException;
import org.apache.kafka.common.errors.IllegalGenerationException;
import org.apache.kafka.common.errors.InconsistentGroupProtocolException;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidGroupIdException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.StaleMemberEpochException;
import org.apache.kafka.common.errors.UnknownMemberIdException;
import org.apache.kafka.common.errors.UnsupportedAssignorException;
import org.apache.kafka.common.errors.UnsupportedVersionException;

/** Tells what the exceptions of a Kafka consumer mean for the loop that polls it. */
final class KafkaFailures {

    /** Failures that somebody has to correct: rights, settings, another member with the same {@code group.instance.id}. */
    private static final List<Class<? extends RuntimeException>> FOR_GOOD = List.of(
            AuthenticationException.class,
            AuthorizationException.class,
            ConfigException.class,
            FencedInstanceIdException.class,
            InconsistentGroupProtocolException.class,
            InvalidConfigurationException.class,
            InvalidGroupIdException.class,
            InvalidOffsetException.class,
            InvalidTopicException.class,
            UnsupportedAssignorException.class,
            UnsupportedVersionException.class);

    /** Failures that pass: Kafka is away, or another consumer owns the partition now. */
    private static final List<Class<? extends RuntimeException>> PASSING = List.of(
            RetriableException.class,
            CommitFailedException.class,
            RebalanceInProgressException.class,
            StaleMemberEpochException.class,
            FencedMemberEpochException.class,
            UnknownMemberIdException.class,
            IllegalGenerationException.class);

    private KafkaFailures() {}

    /** Returns whether a look-up or commit of offsets that failed is worth another try. */
    static boolean isPassing(RuntimeException failure) {
        return PASSING.stream().anyMatch(type -> type.isInstance(failure));
    }

    /** Returns whether Kafka refuses for good what the loop asks for. */
    static boolean isForGood(Throwable failure) {
        return FOR_GOOD.stream().anyMatch(type -> type.isInstance(failure));
    }

    /** Returns whether the assignment was lost, under KIP-848. Kafka throws a plain IllegalStateException; only its text tells. */
    static boolean isLostAssignment(Throwable failure) {
        return failure instanceof IllegalStateException
                && String.valueOf(failure.getMessage()).startsWith("No current assignment for partition");
    }
}
