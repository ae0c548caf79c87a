package io.idempotency.web;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.outbox.OutboxStore;
import io.idempotency.outbox.Output;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The outbox in the console, in a real Chromium. No relay runs, so what is sent again waits. */
class ConsoleOutboxTest {

    private static ConsoleScene scene;
    private static ConsoleBrowser browser;
    private static OutboxStore store;

    @BeforeAll
    static void start() {
        ConsoleBrowser.requireInstalled();
        scene = new ConsoleScene();
        browser = new ConsoleBrowser(scene.address());
        store = scene.application.getBean(OutboxStore.class);
    }

    @AfterAll
    static void stop() {
        if (browser != null) {
            browser.close();
        }
        if (scene != null) {
            scene.application.close();
        }
    }

    @BeforeEach
    void forgetIncidentsAndOutputs() {
        browser.incidents();
        store.refused()
                .list(Optional.empty(), 0, 100)
                .forEach(each -> store.refused().discard(each.number()));
    }

    private static List<Long> refuse(String topic, int outputs) {
        Output[] all = new Output[outputs];
        for (int i = 0; i < outputs; i++) {
            all[i] = Refusing.output(
                    topic, topic + "/" + (4711 + i), "{\"order\": " + (4711 + i) + ", \"cents\": 1299}");
        }
        return Refusing.refuse(store, topic + " does not exist", all);
    }

    @Test
    void leadsFromARefusedOutputToItsEndByClicks() throws IOException {
        browser.login("ada");
        List<Long> numbers = refuse("shipments", 3);
        refuse("invoices", 1);
        browser.open("consumers");
        browser.see("Kafka refused 4 outputs.");
        browser.click("Kafka refused 4 outputs.");
        browser.see("shipments does not exist");
        picture("console-outbox");

        browser.click(numbers.get(0).toString());
        browser.see("Why Kafka refused it");
        browser.see("\"cents\": 1299");
        browser.see("customer-7");
        browser.click("Discard it…");
        browser.see("1 output would be discarded.");
        browser.click("Discard");
        browser.see("1 output would be discarded.");
        browser.type("reason", "INC-46");
        browser.click("Discard");
        browser.see("1 output is discarded.");
        assertThat(store.refused().find(numbers.get(0))).isEmpty();

        browser.click("Go on");
        browser.open("outbox?topic=shipments");
        browser.click("Send all of this topic again…");
        browser.see("2 outputs would be sent again.");
        browser.type("reason", "INC-47");
        browser.click("Send again");
        browser.see("2 outputs are sent again.");
        browser.click("Go on");
        browser.see("2 outputs wait");
        assertThat(browser.count("tbody tr")).isZero();
        browser.open("audit?consumer=outbox");
        browser.see("INC-47");
        browser.see("all outputs to shipments");
        assertThat(browser.incidents()).isEmpty();
    }

    @Test
    void showsAReaderEverythingButBytesAndButtons() {
        long number = refuse("seen-by-readers", 1).get(0);
        browser.login("bob");
        for (String view :
                List.of("outbox?topic=seen-by-readers", "output?number=" + number, "resend?number=" + number)) {
            browser.open(view);
            browser.see("Read only");
            assertThat(browser.count("main button")).as(view).isZero();
            assertThat(browser.text()).as(view).doesNotContain("Send it again…", "Discard it…", "1299");
        }
        browser.open("output?number=" + number);
        browser.see("not shown");
    }

    @Test
    void showsHostileDataAsText() {
        browser.login("ada");
        String hostile = ConsoleScene.HOSTILE.replace("\0", "");
        String topic = hostile.repeat(2);
        long number = Refusing.refuse(store, hostile.repeat(20), Refusing.output(topic, hostile, hostile.repeat(200)))
                .get(0);
        for (String view :
                List.of("outbox", "output?number=" + number, "resend?number=" + number, "discard?number=" + number)) {
            browser.open(view);
            browser.see(String.valueOf(number));
            for (int width : List.of(360, 1280)) {
                browser.size(width, 800);
                assertThat(browser.overflow()).as(view).isNotPositive();
            }
            assertThat(browser.incidents()).as(view).isEmpty();
        }
        browser.open("output?number=" + number);
        browser.see("<script>ran=1</script>");
        browser.see("\\u202E");
        assertThat(browser.tooPale()).isEmpty();
    }

    private static void picture(String name) throws IOException {
        if ("write".equals(System.getProperty("idempotency.docs"))) {
            browser.picture(Path.of("..", "docs", "images", name + ".png"));
        }
    }
}
