package io.idempotency.crash;

/** Where a process halts, in the order in which a message passes these points. The message it happens to is {@link Cell#TARGET}. */
enum CrashPoint {
    BEFORE_CLAIM("before the claim"),
    IN_HANDLER("after the claim, in the handler, before its effect"),
    AFTER_EFFECT("after the claim, in the handler, after its effect"),
    BEFORE_RECORDED("after the handler, before it is recorded"),
    BEFORE_OFFSETS("after it is recorded, before the offset commit"),
    /** The crash hits the message after those that the batch has handled already. */
    MIDDLE_OF_BATCH("in the middle of a batch"),
    /** No crash: the handler throws, after its effect, whenever it sees the message. */
    POISON("poison: the handler always throws"),
    /** The process halts in every life, until somebody mends it. */
    DEADLY_POISON("poison that kills the process");

    private final String title;

    CrashPoint(String title) {
        this.title = title;
    }

    /** How the documentation names it. */
    String title() {
        return title;
    }

    /** Returns whether a process halts here in the life given, counted from 1. */
    boolean isDeadlyIn(int life) {
        return switch (this) {
            case POISON -> false;
            case DEADLY_POISON -> life < Cell.MENDED_LIFE;
            default -> life == 1;
        };
    }
}
