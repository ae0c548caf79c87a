package io.idempotency.samples.rough;

import java.util.ArrayList;
import java.util.List;

/**
 * What became of the messages of one listener, or of all.
 *
 * @param effects messages whose effect is there, final by the library's commit; one that is there twice counts twice
 * @param quarantined messages in quarantine
 * @param lost messages that have no effect, or half of one, and are not in quarantine
 * @param own effects, or halves, that the handler made final itself before it failed or died: besides that of the message, or of one in quarantine
 * @param unexplained effects besides that of the message, or of one in quarantine, that the library's commit made final
 * @param blameless messages in quarantine whose handler has done nothing that has to fail each time
 * @param examples some of what is wrong
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
