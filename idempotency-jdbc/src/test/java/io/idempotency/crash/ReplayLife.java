package io.idempotency.crash;

import io.idempotency.database.Database;
import java.io.IOException;
import java.util.List;
import javax.sql.DataSource;

/** A process that replays the messages of all cells of a point, and halts when all of them are there. */
public final class ReplayLife {

    private ReplayLife() {}

    /** Lives until it halts or its input ends. */
    public static void main(String[] args) throws IOException {
        Life.quieten();
        ReplayPoint point = ReplayPoint.valueOf(args[0]);
        ReplayHalt halt = new ReplayHalt(point);
        DataSource dataSource = Database.named().dataSource();
        List<ReplayNode> nodes = ReplayCell.at(point).stream()
                .map(cell -> new ReplayNode(cell, dataSource, halt))
                .toList();
        nodes.forEach(ReplayNode::start);
        while (System.in.read() >= 0) {
            // Only the end counts.
        }
        nodes.forEach(ReplayNode::close);
    }
}
