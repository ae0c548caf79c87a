package io.idempotency.spring;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/** Shows a refused listener as what is wrong and what to change, without a stack trace. */
final class ListenerRefusedAnalyzer extends AbstractFailureAnalyzer<ListenerRefusedException> {

    @Override
    protected FailureAnalysis analyze(Throwable rootFailure, ListenerRefusedException cause) {
        return new FailureAnalysis(cause.what(), cause.action(), cause);
    }
}
