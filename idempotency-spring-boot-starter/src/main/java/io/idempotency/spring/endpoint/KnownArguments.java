package io.idempotency.spring.endpoint;

import io.idempotency.store.Printable;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.springframework.boot.actuate.endpoint.EndpointId;
import org.springframework.boot.actuate.endpoint.OperationType;
import org.springframework.boot.actuate.endpoint.invoke.OperationInvoker;
import org.springframework.boot.actuate.endpoint.invoke.OperationInvokerAdvisor;
import org.springframework.boot.actuate.endpoint.invoke.OperationParameter;
import org.springframework.boot.actuate.endpoint.invoke.OperationParameters;

/**
 * Refuses a request with a parameter that the endpoint does not have, and an act with an empty one. Actuator would ignore them, and a mistyped or empty condition would
 * choose all messages.
 */
final class KnownArguments implements OperationInvokerAdvisor {

    private static final EndpointId OWN = EndpointId.of(IdempotencyEndpoint.ID);

    private static String words(Set<String> names) {
        return names.stream().map(Printable::of).collect(Collectors.joining(", "));
    }

    @Override
    public OperationInvoker apply(
            EndpointId endpoint, OperationType type, OperationParameters parameters, OperationInvoker invoker) {
        if (!endpoint.equals(OWN)) {
            return invoker;
        }
        List<String> known =
                parameters.stream().map(OperationParameter::getName).toList();
        return context -> {
            Set<String> unknown = new TreeSet<>(context.getArguments().keySet());
            known.forEach(unknown::remove);
            if (type == OperationType.READ) {
                // Whoever tries an act by GET is told that it needs a POST.
                Writes.PARAMETERS.values().forEach(unknown::removeAll);
            }
            if (!unknown.isEmpty()) {
                return Refusals.of(RefusedException.badInput(
                        "There is no parameter " + words(unknown) + ": look for a typing error. Nothing was done."));
            }
            Set<String> empty = new TreeSet<>();
            context.getArguments().forEach((name, value) -> {
                if (value == null || value.toString().isEmpty()) {
                    empty.add(name);
                }
            });
            return type == OperationType.READ || empty.isEmpty()
                    ? invoker.invoke(context)
                    : Refusals.of(RefusedException.badInput("The parameter " + words(empty)
                            + " is empty: give it a value, or leave it out. Nothing was done."));
        };
    }
}
