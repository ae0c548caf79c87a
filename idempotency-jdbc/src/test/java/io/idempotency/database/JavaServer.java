package io.idempotency.database;

import java.net.InetAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.derby.drda.NetworkServerControl;
import org.h2.tools.Server;

/** Servers that are written in Java, with their databases in memory. Tests kill only their clients. */
enum JavaServer {
    DERBY("jdbc:derby://127.0.0.1:%d/memory:idempotency;create=true") {
        @Override
        void listen(int port) throws Exception {
            System.setProperty("derby.locks.waitTimeout", "1");
            System.setProperty("derby.locks.deadlockTimeout", "1");
            System.setProperty("derby.stream.error.field", "java.lang.System.err");
            new NetworkServerControl(InetAddress.getLoopbackAddress(), port).start(null);
        }
    },
    H2("jdbc:h2:tcp://127.0.0.1:%d/mem:idempotency;DB_CLOSE_DELAY=-1;LOCK_TIMEOUT=60000") {
        @Override
        void listen(int port) throws Exception {
            System.setProperty("h2.bindAddress", "127.0.0.1");
            Server.createTcpServer("-tcpPort", String.valueOf(port), "-ifNotExists")
                    .start();
        }
    },
    HSQLDB("jdbc:hsqldb:hsql://127.0.0.1:%d/") {
        @Override
        void listen(int port) {
            org.hsqldb.server.Server server = new org.hsqldb.server.Server();
            server.setAddress("127.0.0.1");
            server.setPort(port);
            server.setDatabaseName(0, "");
            server.setDatabasePath(0, "mem:idempotency;hsqldb.tx=mvcc;hsqldb.log_size=0");
            server.setLogWriter(null);
            server.start();
        }
    };

    private final String url;

    JavaServer(String url) {
        this.url = url;
    }

    abstract void listen(int port) throws Exception;

    Database start() {
        int port = ServerProcess.freePort();
        Database database = Database.at(url.formatted(port));
        ServerProcess.start(
                ServerProcess.newFolder(name()),
                List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx512m",
                        JavaServer.class.getName(),
                        name(),
                        String.valueOf(port)),
                Map.of("CLASSPATH", System.getProperty("java.class.path")),
                database);
        return database;
    }

    /** Listens until it is ended. */
    public static void main(String[] args) throws Exception {
        valueOf(args[0]).listen(Integer.parseInt(args[1]));
        Thread.currentThread().join();
    }
}
