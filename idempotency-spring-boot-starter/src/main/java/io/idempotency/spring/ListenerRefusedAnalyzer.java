package io.idempotency.spring;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/** Shows a refused start as a description and an action, without a stack trace. */
final class ListenerRefusedAnalyzer extends AbstractFailureAnalyzer<ListenerRefusedException> {

    @Override
    protected FailureAnalysis analyze(Throwable rootFailure, ListenerRefusedException cause) {
        return new FailureAnalysis(cause.what(), cause.action(), cause);
    }
}
