package io.idempotency.spring.endpoint;

import io.idempotency.store.ConflictException;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.NotFoundException;
import io.idempotency.store.TransientStoreException;
import java.sql.SQLException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.actuate.endpoint.web.WebEndpointResponse;

/** Turns failures into a status and a sentence, never into a stack trace. */
final class Refusals {

    private static final Logger log = LoggerFactory.getLogger(IdempotencyEndpoint.class);

    private Refusals() {}

    static WebEndpointResponse<Answers.Answer> of(RuntimeException failure) {
        if (failure instanceof RefusedException refused) {
            return refusal(refused.status(), refused);
        }
        if (failure instanceof TransientStoreException && !hasSqlCause(failure)) {
            // Somebody else was faster.
            return refusal(409, failure);
        }
        if (hasSqlCause(failure)) {
            log.warn("A request to the endpoint idempotency failed, because the database did not answer it.", failure);
            return new WebEndpointResponse<>(
                    new Answers.Refusal(
                            "The database does not answer this now, and the log of this instance says why: try it again later."),
                    503);
        }
        if (failure instanceof NotFoundException) {
            return refusal(404, failure);
        }
        if (failure instanceof ConflictException) {
            return refusal(409, failure);
        }
        if (failure instanceof IdempotencyException) {
            return refusal(400, failure);
        }
        log.error("A request to the endpoint idempotency failed.", failure);
        return new WebEndpointResponse<>(
                new Answers.Refusal("The request failed, and the log of this instance says why."), 500);
    }

    private static WebEndpointResponse<Answers.Answer> refusal(int status, RuntimeException failure) {
        return new WebEndpointResponse<>(new Answers.Refusal(String.valueOf(failure.getMessage())), status);
    }

    private static boolean hasSqlCause(Throwable failure) {
        for (Throwable next = failure; next != null; next = next.getCause()) {
            if (next instanceof SQLException) {
                return true;
            }
        }
        return false;
    }
}
