package io.idempotency.samples.demo;

import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Reports the counts of a consumer process to the demo, regularly and at the end. */
final class TallyReport implements AutoCloseable {

    private static final int EVERY_MILLIS = 300;

    private final Tally tally;
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(work -> {
        Thread thread = new Thread(work, "tally");
        thread.setDaemon(true);
        return thread;
    });

    private TallyReport(Tally tally) {
        this.tally = tally;
    }

    static TallyReport start(Tally tally) {
        TallyReport report = new TallyReport(tally);
        var unused = report.clock.scheduleWithFixedDelay(report::tell, 0, EVERY_MILLIS, TimeUnit.MILLISECONDS);
        return report;
    }

    private void tell() {
        System.out.println(Child.COUNTS + tally.encode());
    }

    @Override
    public void close() {
        clock.shutdownNow();
        tell();
    }
}
