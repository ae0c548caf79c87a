package io.idempotency.spring.endpoint;

import java.security.Principal;
import java.util.Optional;
import org.springframework.boot.actuate.endpoint.Access;
import org.springframework.boot.actuate.endpoint.SecurityContext;

/** Says what a caller may do. Immutable and thread-safe. */
record Permissions(Access access, OperationsProperties properties) {

    private static final String NOBODY = "unknown";
    private static final int MOST_CHARS_OF_NAME = 255;

    /** Returns why the caller may not change anything; empty if he may. */
    Optional<String> whyNoWrite(SecurityContext caller) {
        return access == Access.UNRESTRICTED
                ? whyNoRole(caller)
                : Optional.of(
                        "The endpoint is read-only here: management.endpoint.idempotency.access=unrestricted lets it change"
                                + " something.");
    }

    /** Returns why the caller may not see bytes and failures of messages; empty if he may. */
    Optional<String> whyHidden(SecurityContext caller) {
        return switch (properties.payloads()) {
            case ALL -> Optional.empty();
            case NONE ->
                Optional.of(
                        "Bytes and failures of messages are not shown here: idempotency.operations.payloads is none.");
            case ROLE ->
                whyNoRole(caller).map(why -> "Bytes and failures of messages are shown with that role only. " + why);
        };
    }

    private Optional<String> whyNoRole(SecurityContext caller) {
        String role = properties.role().startsWith("ROLE_") ? properties.role().substring(5) : properties.role();
        if (role.isBlank() || caller.isUserInRole(role)) {
            return Optional.empty();
        }
        String who = user(caller)
                .map(name -> "You are logged in without the role " + role)
                .orElse("Nobody is logged in, perhaps because the application has no Spring Security, and the role "
                        + role + " is needed");
        return Optional.of(who + ": idempotency.operations.role names it.");
    }

    /** Returns the name of the caller, if somebody is logged in. */
    static Optional<String> user(SecurityContext caller) {
        return Optional.ofNullable(caller.getPrincipal())
                .map(Principal::getName)
                .filter(name -> !name.isBlank());
    }

    /** Returns the name of the caller for the audit. */
    static String actor(SecurityContext caller) {
        String name = user(caller).orElse(NOBODY);
        return name.length() > MOST_CHARS_OF_NAME ? name.substring(0, MOST_CHARS_OF_NAME) : name;
    }
}
