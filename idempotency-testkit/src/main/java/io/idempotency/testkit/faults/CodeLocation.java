package io.idempotency.testkit.faults;

import java.util.Iterator;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Who executes a statement, as the stack says.
 *
 * @param isLibrary whether it is a statement of this library, such as a claim
 * @param line the file and line of the application, or what stands between it and the database
 */
record CodeLocation(boolean isLibrary, String line) {

    private static final List<String> BETWEEN = List.of(
            "java.",
            "javax.",
            "jdk.",
            "sun.",
            "com.sun.",
            "com.zaxxer.",
            "org.springframework.",
            "io.idempotency.testkit.faults.Faulty",
            "io.idempotency.testkit.faults.Probe",
            "io.idempotency.testkit.faults.CodeLocation");

    /** The packages with code that executes statements, and the flow around it. */
    private static final Pattern LIBRARY =
            Pattern.compile("io\\.idempotency\\.((jdbc|spring|kafka|memory|store|testkit\\.faults)\\.)?[A-Z].*");

    private static final String HIBERNATE = "org.hibernate.";

    /** Returns the code that the calling thread executes. */
    static CodeLocation current() {
        return StackWalker.getInstance().walk(CodeLocation::first);
    }

    private static CodeLocation first(Stream<StackWalker.StackFrame> frames) {
        boolean isHibernate = false;
        Iterator<StackWalker.StackFrame> each = frames.iterator();
        while (each.hasNext()) {
            StackWalker.StackFrame frame = each.next();
            String name = frame.getClassName();
            if (name.startsWith(HIBERNATE)) {
                isHibernate = true;
            } else if (!isBetween(name)) {
                boolean isLibrary = LIBRARY.matcher(name).matches();
                // Hibernate writes pending changes when the library asks it to, before the proof.
                return isLibrary && isHibernate
                        ? new CodeLocation(false, "a flush of Hibernate")
                        : new CodeLocation(isLibrary, frame.getFileName() + ":" + frame.getLineNumber());
            }
        }
        return new CodeLocation(false, "an unknown place");
    }

    private static boolean isBetween(String name) {
        return name.contains("$$")
                || name.contains("$Proxy")
                || BETWEEN.stream().anyMatch(name::startsWith);
    }
}
