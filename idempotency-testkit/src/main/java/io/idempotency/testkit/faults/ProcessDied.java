package io.idempotency.testkit.faults;

/**
 * The death of a process, inside one JVM: an error of the virtual machine leaves handlers, transactions and containers, and the library charges no message for
 * it.
 */
final class ProcessDied extends VirtualMachineError {

    private static final long serialVersionUID = 1L;

    ProcessDied(Scenario scenario) {
        super("The fault kit: " + scenario.title());
    }
}
