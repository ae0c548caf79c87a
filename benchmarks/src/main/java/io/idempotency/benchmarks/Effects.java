package io.idempotency.benchmarks;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.springframework.jdbc.core.JdbcTemplate;

/** The handler of all contestants: it writes a row for each message, in the active transaction. */
final class Effects {

    private static final String ID_HEADER = "message-id";

    private final JdbcTemplate jdbc;

    Effects(DataSource dataSource) {
        this.jdbc = new JdbcTemplate(dataSource);
    }

    private static final String INSERT =
            "insert into effect (message_id, part, record_offset, amount) values (?, ?, ?, ?)";

    /** Writes the row of a message. */
    void one(ConsumerRecord<byte[], byte[]> message) {
        jdbc.update(INSERT, statement -> {
            statement.setObject(1, UUID.fromString(id(message)));
            statement.setInt(2, message.partition());
            statement.setLong(3, message.offset());
            statement.setLong(4, amount(message));
        });
    }

    private static final String INSERT_ALL = """
            insert into effect (message_id, part, record_offset, amount)
            select * from unnest(?::uuid[], ?::integer[], ?::bigint[], ?::bigint[])
            """;

    /** Writes the rows of all messages by one statement. */
    void all(List<ConsumerRecord<byte[], byte[]>> messages) {
        int size = messages.size();
        UUID[] ids = new UUID[size];
        int[] partitions = new int[size];
        long[] offsets = new long[size];
        long[] amounts = new long[size];
        for (int i = 0; i < size; i++) {
            ConsumerRecord<byte[], byte[]> message = messages.get(i);
            ids[i] = UUID.fromString(id(message));
            partitions[i] = message.partition();
            offsets[i] = message.offset();
            amounts[i] = amount(message);
        }
        jdbc.update(INSERT_ALL, statement -> {
            Connection connection = statement.getConnection();
            statement.setArray(1, connection.createArrayOf("uuid", ids));
            statement.setObject(2, partitions);
            statement.setObject(3, offsets);
            statement.setObject(4, amounts);
        });
    }

    /** Returns the id that the producer gave the message. */
    static String id(ConsumerRecord<byte[], byte[]> message) {
        Header header = message.headers().lastHeader(ID_HEADER);
        if (header == null) {
            throw new IllegalArgumentException(
                    "No " + ID_HEADER + " at " + message.partition() + "@" + message.offset());
        }
        return new String(header.value(), StandardCharsets.UTF_8);
    }

    private static long amount(ConsumerRecord<byte[], byte[]> message) {
        return ByteBuffer.wrap(message.value()).getLong();
    }
}
