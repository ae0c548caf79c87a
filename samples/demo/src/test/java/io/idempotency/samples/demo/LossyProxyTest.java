package io.idempotency.samples.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LossyProxyTest {

    private static final short PRODUCE = 0;
    private static final short METADATA = 3;

    private final BlockingQueue<Integer> arrived = new LinkedBlockingQueue<>();
    private ServerSocket broker;

    @BeforeEach
    void startBrokerThatAnswersEveryRequest() throws IOException {
        broker = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        Thread thread = new Thread(this::answer);
        thread.setDaemon(true);
        thread.start();
    }

    @AfterEach
    void stopBroker() throws IOException {
        broker.close();
    }

    @Test
    void losesTheAcknowledgmentOfAProduceRequestThatArrived() throws Exception {
        try (LossyProxy proxy = new LossyProxy(broker.getLocalPort(), 1, 1);
                Socket client = new Socket(InetAddress.getLoopbackAddress(), proxy.port())) {
            assertThat(answerTo(client, METADATA, 41)).isEqualTo(41);
            assertThatThrownBy(() -> answerTo(client, PRODUCE, 42)).isInstanceOf(EOFException.class);

            assertThat(arrived.poll(10, TimeUnit.SECONDS)).isEqualTo(41);
            assertThat(arrived.poll(10, TimeUnit.SECONDS)).isEqualTo(42);
            assertThat(proxy.dropped()).isEqualTo(1);
        }
    }

    @Test
    void passesEverythingOnWhenNothingIsToBeLost() throws Exception {
        try (LossyProxy proxy = new LossyProxy(broker.getLocalPort(), 0, 1);
                Socket client = new Socket(InetAddress.getLoopbackAddress(), proxy.port())) {
            assertThat(answerTo(client, PRODUCE, 1)).isEqualTo(1);
            assertThat(answerTo(client, PRODUCE, 2)).isEqualTo(2);
            assertThat(proxy.dropped()).isZero();
        }
    }

    private static int answerTo(Socket client, short kind, int correlationId) throws IOException {
        DataOutputStream out = new DataOutputStream(client.getOutputStream());
        out.writeInt(8);
        out.writeShort(kind);
        out.writeShort(0);
        out.writeInt(correlationId);
        out.flush();
        DataInputStream in = new DataInputStream(client.getInputStream());
        assertThat(in.readInt()).isEqualTo(4);
        return in.readInt();
    }

    private void answer() {
        try (Socket client = broker.accept()) {
            DataInputStream in = new DataInputStream(client.getInputStream());
            DataOutputStream out = new DataOutputStream(client.getOutputStream());
            while (true) {
                in.readInt();
                in.readInt();
                int correlationId = in.readInt();
                arrived.add(correlationId);
                out.writeInt(4);
                out.writeInt(correlationId);
                out.flush();
            }
        } catch (IOException e) {
            // The proxy has hung up.
        }
    }
}
