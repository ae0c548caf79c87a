package io.idempotency.samples.api;

import io.idempotency.results.Answer;
import io.idempotency.results.AnsweringConsumer;
import io.idempotency.results.NoAnswerException;
import io.idempotency.results.OtherRequestException;
import io.idempotency.results.RequestInProgressException;
import io.idempotency.store.InvalidMessageIdException;
import io.idempotency.store.TransientStoreException;
import java.net.URI;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RestController;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/** Pays by HTTP. A client without an answer sends the same request again, with the same {@code Idempotency-Key}. */
@RestController
class PaymentController {

    private final AnsweringConsumer<PaymentRequest, Receipt> answering;
    private final JdbcClient jdbc;
    private final JsonMapper json;

    PaymentController(AnsweringConsumer<PaymentRequest, Receipt> answering, JdbcClient jdbc, JsonMapper json) {
        this.answering = answering;
        this.jdbc = jdbc;
        this.json = json;
    }

    /** What is asked for. */
    record Payment(String customer, long cents) {}

    // tag::answer[]
    @PostMapping("/payments")
    ResponseEntity<Receipt> pay(
            @RequestHeader(name = "Idempotency-Key", required = false) @Nullable String key, @RequestBody byte[] body) {
        if (key == null) {
            throw new MissingKeyException();
        }
        Answer<Receipt> answer = answering.answer(
                new PaymentRequest(unquoted(key), body),
                (request, claim) -> post(json.readValue(request.body(), Payment.class)));
        return ResponseEntity.created(URI.create("/payments/" + answer.value().id()))
                .header("Idempotent-Replayed", String.valueOf(answer.isReplayed()))
                .body(answer.value());
    }
    // end::answer[]

    /** In the transaction of the claim and the answer. */
    private Receipt post(Payment payment) {
        Receipt receipt = new Receipt(UUID.randomUUID(), payment.customer(), payment.cents());
        jdbc.sql("insert into api_payment (id, customer, cents) values (?, ?, ?)")
                .params(receipt.id(), receipt.customer(), receipt.cents())
                .update();
        return receipt;
    }

    /** The draft has the key as a string of structured fields, in quotes. Many clients send it without. */
    private static String unquoted(String key) {
        String trimmed = key.trim();
        return trimmed.length() > 1 && trimmed.startsWith("\"") && trimmed.endsWith("\"")
                ? trimmed.substring(1, trimmed.length() - 1)
                : trimmed;
    }

    private static final class MissingKeyException extends RuntimeException {

        private static final long serialVersionUID = 1;
    }

    @ExceptionHandler
    ProblemDetail missing(MissingKeyException e) {
        return problem(HttpStatus.BAD_REQUEST, "The header Idempotency-Key is missing");
    }

    @ExceptionHandler({InvalidMessageIdException.class, JacksonException.class})
    ProblemDetail invalid(Exception e) {
        return problem(HttpStatus.BAD_REQUEST, "The key or the payment cannot be read");
    }

    @ExceptionHandler
    ProblemDetail isInProgress(RequestInProgressException e) {
        return problem(HttpStatus.CONFLICT, "A request with this Idempotency-Key is being handled. Repeat it later");
    }

    @ExceptionHandler
    ProblemDetail isOther(OtherRequestException e) {
        return problem(HttpStatus.UNPROCESSABLE_CONTENT, "This Idempotency-Key was used for another payment");
    }

    @ExceptionHandler
    ProblemDetail isWithoutAnswer(NoAnswerException e) {
        return problem(HttpStatus.GONE, "The payment was made, and its receipt is no longer kept");
    }

    @ExceptionHandler
    ProblemDetail isAway(TransientStoreException e) {
        return problem(HttpStatus.SERVICE_UNAVAILABLE, "The payment was not made. Repeat the request");
    }

    private static ProblemDetail problem(HttpStatus status, String detail) {
        return ProblemDetail.forStatusAndDetail(status, detail);
    }
}
