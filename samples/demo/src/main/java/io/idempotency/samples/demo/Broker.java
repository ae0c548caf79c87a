package io.idempotency.samples.demo;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.storage.Formatter;

/**
 * A real Kafka broker in this JVM: KRaft, one node, its files in a folder of the run.
 *
 * <p>It has two addresses for clients. The direct one is ordinary. The lossy one is advertised at the address of a {@link LossyProxy}, so that a
 * producer that connects there stays connected through the proxy.
 */
public final class Broker implements AutoCloseable {

    private static final String HOST = InetAddress.getLoopbackAddress().getHostAddress();

    private final KafkaRaftServer server;
    private final LossyProxy proxy;
    private final int directPort;

    private Broker(KafkaRaftServer server, LossyProxy proxy, int directPort) {
        this.server = server;
        this.proxy = proxy;
        this.directPort = directPort;
    }

    /** Formats the folder and starts the broker and its lossy proxy. */
    public static Broker start(Path folder, double loss, long seed) throws Exception {
        List<Integer> ports = Ports.free(3);
        int direct = ports.get(0);
        int lossy = ports.get(1);
        int controller = ports.get(2);
        LossyProxy proxy = new LossyProxy(lossy, loss, seed);
        new Formatter()
                .setNodeId(1)
                .setClusterId(Uuid.randomUuid().toString())
                .setControllerListenerName("CONTROLLER")
                .setMetadataLogDirectory(folder.toString())
                .setDirectories(List.of(folder.toString()))
                .setPrintStream(new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8))
                .run();
        Map<String, String> config = Map.ofEntries(
                Map.entry("node.id", "1"),
                Map.entry("process.roles", "broker,controller"),
                Map.entry("controller.quorum.voters", "1@" + HOST + ":" + controller),
                Map.entry("controller.listener.names", "CONTROLLER"),
                Map.entry("inter.broker.listener.name", "DIRECT"),
                Map.entry("listener.security.protocol.map", "DIRECT:PLAINTEXT,LOSSY:PLAINTEXT,CONTROLLER:PLAINTEXT"),
                Map.entry("listeners", listeners(direct, lossy) + ",CONTROLLER://" + HOST + ":" + controller),
                Map.entry("advertised.listeners", listeners(direct, proxy.port())),
                Map.entry("log.dirs", folder.toString()),
                // One node, and a group that need not wait for more members.
                Map.entry("offsets.topic.replication.factor", "1"),
                Map.entry("offsets.topic.num.partitions", "5"),
                Map.entry("transaction.state.log.replication.factor", "1"),
                Map.entry("transaction.state.log.min.isr", "1"),
                Map.entry("transaction.state.log.num.partitions", "5"),
                Map.entry("share.coordinator.state.topic.replication.factor", "1"),
                Map.entry("share.coordinator.state.topic.min.isr", "1"),
                Map.entry("share.coordinator.state.topic.num.partitions", "5"),
                // A group may notice a killed process soon.
                Map.entry("group.min.session.timeout.ms", "1000"),
                Map.entry("auto.create.topics.enable", "false"),
                Map.entry("group.initial.rebalance.delay.ms", "0"));
        KafkaRaftServer server = new KafkaRaftServer(new KafkaConfig(config, false), Time.SYSTEM);
        server.startup();
        return new Broker(server, proxy, direct);
    }

    /** Returns the direct address. */
    public String address() {
        return HOST + ":" + directPort;
    }

    /** Returns the address that loses acknowledgments. */
    String lossyAddress() {
        return HOST + ":" + proxy.port();
    }

    long droppedAcknowledgments() {
        return proxy.dropped();
    }

    @Override
    public void close() throws IOException {
        proxy.close();
        server.shutdown();
        server.awaitShutdown();
    }

    private static String listeners(int direct, int lossy) {
        return "DIRECT://" + HOST + ":" + direct + ",LOSSY://" + HOST + ":" + lossy;
    }
}
