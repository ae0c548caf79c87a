package io.idempotency.crash;

import io.idempotency.database.Database;
import java.io.IOException;
import java.util.List;
import javax.sql.DataSource;

/** A process that replays the messages of all cells of a point, says when all of them are there, and halts when its input ends. */
public final class ReplayLife {

    /** Says where MariaDB is; PostgreSQL is the named database. */
    static final String MARIADB_VARIABLE = "IDEMPOTENCY_MARIADB_URL";

    private ReplayLife() {}

    /** Lives until its input ends. */
    public static void main(String[] args) throws IOException {
        Life.quieten();
        ReplayPoint point = ReplayPoint.valueOf(args[0]);
        ReplayHalt halt = new ReplayHalt(point);
        DataSource postgres = Database.named().dataSource();
        DataSource mariaDb = Database.at(System.getenv(MARIADB_VARIABLE)).dataSource();
        List<ReplayNode> nodes = ReplayCell.at(point).stream()
                .map(cell -> new ReplayNode(cell, cell.where() == ReplayCell.Where.MARIADB ? mariaDb : postgres, halt))
                .toList();
        nodes.forEach(ReplayNode::start);
        while (System.in.read() >= 0) {
            // Only the end counts.
        }
        halt.now();
        nodes.forEach(ReplayNode::close);
    }
}
