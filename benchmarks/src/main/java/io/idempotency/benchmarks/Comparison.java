package io.idempotency.benchmarks;

import io.idempotency.benchmarks.Scenario.Setting;
import io.idempotency.samples.demo.Cleanup;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * Runs a scenario. Each contestant has JVMs of its own. After a few rounds of warm-up come the measured ones. All contestants take turns, so that other load on
 * the machine affects all of them. JVMs with the usual memory go on to the next scenario.
 */
final class Comparison {

    /** How many times as long as others a round takes in which messages come slowly: so long that one poll in a hundred is more than a few. */
    private static final int PACED_TIMES = 8;

    private final Stage stage;
    private final Scenario scenario;
    private final List<Participant> participants = new ArrayList<>();
    private int paced;
    private EffectCount effects = EffectCount.NONE;

    /** An entry, its JVMs, and their answers. */
    private record Participant(Entry entry, List<Child> consumers, List<Outcome> outcomes) {}

    Comparison(Stage stage, Scenario scenario) {
        this.stage = stage;
        this.scenario = scenario;
    }

    List<Measurement> run(Cleanup cleanup) throws Exception {
        stage.screen()
                .say("scenario " + scenario.name() + ": " + scenario.entries().size() + " contestants");
        stage.topics().require(scenario.topic());
        scenario.filling().prepare(stage.database());
        try {
            for (Entry entry : scenario.entries()) {
                participants.add(new Participant(entry, start(entry, cleanup), new ArrayList<>()));
            }
            for (int run = 1 - scenario.setting().warmUps();
                    run <= stage.settings().runs();
                    run++) {
                for (Participant participant : participants) {
                    run(participant, run);
                }
            }
        } finally {
            if (!isUsual()) {
                participants.forEach(participant -> participant.consumers().forEach(Child::close));
            }
        }
        return participants.stream()
                .map(each -> Measurement.of(scenario.name(), each.entry().label(), each.outcomes()))
                .toList();
    }

    private List<Child> start(Entry entry, Cleanup cleanup) throws Exception {
        List<Child> children = new ArrayList<>();
        for (int i = 0; i < scenario.setting().consumers(); i++) {
            String number = i == 0 ? "" : "." + i;
            Child warm = isUsual() ? stage.warm().get(entry.contestant() + number) : null;
            children.add(warm == null ? start(entry, number, cleanup) : warm);
        }
        return children;
    }

    private Child start(Entry entry, String number, Cleanup cleanup) throws Exception {
        Child child = cleanup.start(() -> stage.contestant(
                scenario.name() + "." + entry.label() + number,
                entry.contestant(),
                scenario.setting().heap()));
        if (isUsual()) {
            stage.warm().put(entry.contestant() + number, child);
        }
        return child;
    }

    private boolean isUsual() {
        return scenario.setting().heap().equals(Setting.USUAL_HEAP);
    }

    /** Runs one round of a participant. Runs up to number 0 are warm-up and do not count. */
    private void run(Participant participant, int run) throws Exception {
        Entry entry = participant.entry();
        stage.database().empty();
        if (!scenario.setting().isAdvancing()) {
            stage.database().checkpoint();
        }
        entry.filling().prepare(stage.database());
        boolean isPaced = scenario.setting().perSecond() > 0 && run > 0;
        Outcome outcome = !isPaced
                ? ask(participant.consumers(), round(entry, run, scenario.topic()))
                : askPaced(participant, run);
        count(entry, outcome);
        if (run > 0) {
            participant.outcomes().add(outcome);
        }
        say(entry, run, outcome);
    }

    private void say(Entry entry, int run, Outcome outcome) {
        String turn =
                run <= 0 ? "warm-up" : "run " + run + " of " + stage.settings().runs();
        stage.screen()
                .say(String.format(
                        Locale.ROOT,
                        "%s, %s, %s: %,.0f a second, %,d in %.1f s",
                        scenario.name(),
                        turn,
                        entry.label(),
                        outcome.rate(),
                        outcome.messages(),
                        outcome.seconds()));
    }

    private Round round(Entry entry, int run, Topic topic) {
        Round common =
                scenario.round().apply(Round.of(topic).seconds(stage.settings().seconds()));
        Round round = entry.round().apply(common);
        if (!scenario.setting().isAdvancing()) {
            return round;
        }
        int warmUps = scenario.setting().warmUps();
        long part = topic.messagesOfPartition() / (stage.settings().runs() + warmUps);
        return round.from((run + warmUps - 1) * part).messages(part * topic.partitions());
    }

    /** Sends messages during the measurement, to a topic of its own. */
    private Outcome askPaced(Participant participant, int run) throws Exception {
        Topic topic = new Topic("paced-" + paced++, scenario.topic().partitions(), 0, Topic.Ids.NEW);
        stage.topics().create(topic);
        Thread sending =
                new Thread(() -> stage.topics().pace(topic, scenario.setting().perSecond()), "pace");
        sending.setDaemon(true);
        sending.start();
        try {
            Round round = round(participant.entry(), run, topic);
            return ask(participant.consumers(), round.seconds(round.seconds() * PACED_TIMES));
        } finally {
            sending.interrupt();
            sending.join();
        }
    }

    /** Makes the consumers read their partitions, and waits for all. */
    private Outcome ask(List<Child> consumers, Round round) throws IOException {
        int count = consumers.size();
        for (int i = 0; i < count; i++) {
            int own = i;
            List<Integer> partitions = IntStream.range(0, scenario.topic().partitions())
                    .filter(partition -> partition % count == own)
                    .boxed()
                    .toList();
            consumers
                    .get(i)
                    .tell(Json.MAPPER.writeValueAsString(
                            round.partitions(partitions).messages(round.messages() / count)));
        }
        List<Outcome> answers = new ArrayList<>();
        for (Child consumer : consumers) {
            answers.add(Json.MAPPER.readValue(consumer.hear(), Outcome.class));
        }
        return answers.stream().reduce(Outcome::and).orElseThrow();
    }

    /** Counts the effects of a round. Fails if a contestant handled a new message not at all, or twice: its figures would mean nothing. */
    private void count(Entry entry, Outcome outcome) {
        boolean isNew = scenario.topic().ids() == Topic.Ids.NEW;
        if (!entry.hasEffects() || (!isNew && entry.contestant().startsWith("bare-"))) {
            return;
        }
        Database.Effected effected = stage.database().effected();
        // How many of the messages are copies is not known.
        long messages = isNew ? outcome.handled() : effected.all() - effected.repeated();
        EffectCount counted =
                new EffectCount(1, messages, messages - (effected.all() - effected.repeated()), effected.repeated());
        if (!counted.isGood()) {
            throw new IllegalStateException(
                    entry.label() + " in scenario " + scenario.name() + ": " + counted.describe());
        }
        effects = effects.and(counted);
    }

    /** Returns what was counted so far. */
    EffectCount effects() {
        return effects;
    }
}
