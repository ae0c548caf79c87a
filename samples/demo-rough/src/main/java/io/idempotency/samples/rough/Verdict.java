package io.idempotency.samples.rough;

import java.util.ArrayList;
import java.util.List;

/**
 * The outcome of the messages of one listener, or of all.
 *
 * @param effects effects that the library committed; a doubled one counts twice
 * @param quarantined messages in quarantine
 * @param lost messages that have no effect, or half of one, and are not in quarantine
 * @param own additional effects, or halves, that the handler committed itself before it failed or died, also of messages in quarantine
 * @param unexplained additional effects that the library committed, also of messages in quarantine
 * @param blameless messages in quarantine whose handler made no mistake that must fail each time
 * @param examples a few of the wrong messages
 */
record Verdict(
        String title,
        int messages,
        int effects,
        int quarantined,
        int lost,
        int own,
        int unexplained,
        int blameless,
        List<String> examples) {

    private static final int MOST_EXAMPLES = 5;

    static Verdict none(String title) {
        return new Verdict(title, 0, 0, 0, 0, 0, 0, 0, List.of());
    }

    Verdict plus(Verdict other) {
        List<String> all = new ArrayList<>(examples);
        other.examples.stream().limit(Math.max(0, MOST_EXAMPLES - all.size())).forEach(all::add);
        return new Verdict(
                title,
                messages + other.messages,
                effects + other.effects,
                quarantined + other.quarantined,
                lost + other.lost,
                own + other.own,
                unexplained + other.unexplained,
                blameless + other.blameless,
                all);
    }

    boolean isGood() {
        return lost == 0 && unexplained == 0 && blameless == 0 && effects + quarantined == messages;
    }

    /** Returns it as a line. */
    String line() {
        return "verdict: " + title
                + " messages=" + messages
                + " effects=" + effects
                + " quarantined=" + quarantined
                + " lost=" + lost
                + " double=" + (own + unexplained)
                + " committed-by-handler=" + own
                + " unexplained=" + unexplained
                + " blameless=" + blameless;
    }
}
