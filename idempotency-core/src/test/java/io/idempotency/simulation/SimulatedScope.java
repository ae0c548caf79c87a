package io.idempotency.simulation;

import io.idempotency.MessageScope;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/** Two tenants. Each scope is left before the next one is entered. */
final class SimulatedScope implements MessageScope<ConsumerRecord<String, String>> {

    private final Simulation simulation;
    private final Consumer<@Nullable Object> entered;
    private boolean isInside;

    SimulatedScope(Simulation simulation, Consumer<@Nullable Object> entered) {
        this.simulation = simulation;
        this.entered = entered;
    }

    static Object tenant(ConsumerRecord<String, String> record) {
        return record.key().hashCode() % 2 == 0 ? "even" : "odd";
    }

    @Override
    public Object of(ConsumerRecord<String, String> record) {
        return tenant(record);
    }

    @Override
    public Entered enter(Object scope) {
        if (isInside) {
            throw simulation.baton().violated("the scope " + scope + " is entered within another one");
        }
        isInside = true;
        entered.accept(scope);
        return () -> {
            isInside = false;
            simulation.visit(Branch.SCOPE_LEFT);
            entered.accept("none");
        };
    }
}
