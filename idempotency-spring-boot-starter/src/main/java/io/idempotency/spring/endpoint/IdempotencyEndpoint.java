package io.idempotency.spring.endpoint;

import io.idempotency.Operations;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.actuate.endpoint.Access;
import org.springframework.boot.actuate.endpoint.SecurityContext;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.annotation.Selector;
import org.springframework.boot.actuate.endpoint.annotation.WriteOperation;
import org.springframework.boot.actuate.endpoint.web.WebEndpointResponse;
import org.springframework.boot.actuate.endpoint.web.annotation.WebEndpoint;

/**
 * The verbs of operators by HTTP, below {@code /actuator/idempotency}. docs/endpoint.md lists them. It has no logic of its own: {@link Operations} and the stores
 * have it. Only by HTTP, not by JMX: its permissions need somebody who is logged in. Thread-safe.
 */
@WebEndpoint(id = IdempotencyEndpoint.ID, defaultAccess = Access.READ_ONLY)
final class IdempotencyEndpoint {

    static final String ID = "idempotency";
    private static final int ACCEPTED = 202;

    private final Overviews overviews;
    private final Views views;
    private final Writes writes;

    IdempotencyEndpoint(Overviews overviews, Views views, Writes writes) {
        this.overviews = overviews;
        this.views = views;
        this.writes = writes;
    }

    /** Answers with all consumers. */
    @ReadOperation
    public WebEndpointResponse<Answers.Answer> consumers() {
        return answer(overviews::overview);
    }

    /** Answers a view. Spring Boot finds the parameters by their names, so each view gets those of all. */
    @ReadOperation
    public WebEndpointResponse<Answers.Answer> view(
            @Selector String view,
            @Nullable String consumer,
            @Nullable String id,
            @Nullable String failureType,
            @Nullable String failureGroup,
            @Nullable String from,
            @Nullable String to,
            @Nullable String topic,
            @Nullable String partition,
            @Nullable String firstOffset,
            @Nullable String lastOffset,
            @Nullable String limit,
            @Nullable String after,
            @Nullable String full,
            @Nullable String replay,
            @Nullable String since,
            @Nullable String number,
            SecurityContext caller) {
        Arguments asked = Arguments.of(
                "consumer", consumer,
                "id", id,
                "failureType", failureType,
                "failureGroup", failureGroup,
                "from", from,
                "to", to,
                "topic", topic,
                "partition", partition,
                "firstOffset", firstOffset,
                "lastOffset", lastOffset,
                "limit", limit,
                "after", after,
                "full", full,
                "replay", replay,
                "since", since,
                "number", number);
        return answer(() -> views.view(view, asked, caller));
    }

    /** Changes something. */
    @WriteOperation
    public WebEndpointResponse<Answers.Answer> act(
            @Selector String act,
            @Nullable String consumer,
            @Nullable String id,
            @Nullable String failureType,
            @Nullable String failureGroup,
            @Nullable String from,
            @Nullable String to,
            @Nullable String topic,
            @Nullable String partition,
            @Nullable String firstOffset,
            @Nullable String lastOffset,
            @Nullable String limit,
            @Nullable String perSecond,
            @Nullable String stopAfter,
            @Nullable String mayRepeat,
            @Nullable String olderThan,
            @Nullable String replay,
            @Nullable String number,
            @Nullable String reason,
            @Nullable String dryRun,
            SecurityContext caller) {
        Arguments asked = Arguments.of(
                "consumer", consumer,
                "id", id,
                "failureType", failureType,
                "failureGroup", failureGroup,
                "from", from,
                "to", to,
                "topic", topic,
                "partition", partition,
                "firstOffset", firstOffset,
                "lastOffset", lastOffset,
                "limit", limit,
                "perSecond", perSecond,
                "stopAfter", stopAfter,
                "mayRepeat", mayRepeat,
                "olderThan", olderThan,
                "replay", replay,
                "number", number,
                "reason", reason,
                "dryRun", dryRun);
        try {
            Writes.Done done = writes.act(act, asked, caller);
            return new WebEndpointResponse<>(done.answer(), done.goesOn() ? ACCEPTED : WebEndpointResponse.STATUS_OK);
        } catch (RuntimeException e) {
            return Refusals.of(e);
        }
    }

    private static WebEndpointResponse<Answers.Answer> answer(Supplier<? extends Answers.Answer> work) {
        try {
            return new WebEndpointResponse<>(work.get());
        } catch (RuntimeException e) {
            return Refusals.of(e);
        }
    }
}
