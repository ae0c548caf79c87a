package io.idempotency.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.openqa.selenium.Keys;

/** The console in a real Chromium, before a real application with trouble. */
class ConsoleTest {

    private static final Path IMAGES = Path.of("..", "docs", "images");
    private static final boolean WRITES = "write".equals(System.getProperty("idempotency.docs"));

    private static ConsoleScene scene;
    private static ConsoleBrowser browser;

    @BeforeAll
    static void start() {
        ConsoleBrowser.requireInstalled();
        scene = new ConsoleScene();
        browser = new ConsoleBrowser(scene.address());
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
    void forgetIncidents() {
        browser.incidents();
    }

    /** The way of a night. */
    @Test
    void leadsFromAStandstillToItsEndByClicks() throws IOException {
        browser.login("ada");
        scene.fail("orders", 12);
        browser.open("consumers");
        browser.see("@8, message orders/4719");
        browser.see("of billing waits for");
        scene.advance(Duration.ofMinutes(12));
        browser.see("of billing stands still for 1");
        browser.see("org.postgresql.util.PSQLException");
        browser.see("What helps");
        pictures();

        browser.click("Failures of billing");
        browser.see("ERROR: value too long for type character varying(20)");
        picture("console-quarantine");
        browser.click("Open");
        browser.clickOn("tbody a");
        browser.see("Why it failed");
        browser.click("Stack trace");
        browser.see("at org.postgresql");
        browser.see("\"reference\": \"invoice of the year 2026, part 0\",");
        browser.click("Stack trace");
        picture("console-message");

        scene.mend("charge", "billing");
        browser.run("history.back(); return 0");
        browser.click("Replay these…");
        browser.see("8 messages would run again");
        browser.type("perSecond", "1");
        browser.type("reason", "INC-42");
        browser.see("at 1 a second this takes about 8 s");
        picture("console-dry-run");
        browser.click("Run 1 first");
        browser.see("Done.");
        browser.see("1 of 1: 1 processed");
        browser.click("Go on with the rest…");
        browser.see("7 messages would run again");
        browser.click("Run all 7");
        if (WRITES) {
            browser.until("a part", () -> browser.text().matches("(?s).*[3-6] of 7: .*"));
        }
        picture("console-replay");
        browser.click("Pause");
        browser.see("paused");
        browser.click("Resume");
        browser.see("7 of 7: 7 processed.");
        browser.see("Done.");
        assertThat(browser.incidents()).isEmpty();
    }

    @Test
    void isDrivenByTheKeyboardAlone() {
        browser.login("ada");
        scene.fail("parcels", 12);
        browser.open("consumers");
        browser.see("@8, message parcels/4719");
        browser.press(Keys.TAB);
        assertThat(browser.element(":focus").getText()).isEqualTo("Skip to the content");
        browser.press(Keys.ENTER);
        browser.tabTo("Failures of shipping");
        browser.press(Keys.ENTER);
        browser.see("Quarantine of shipping");
        browser.tabTo("Open");
        browser.press(Keys.ENTER);
        browser.see("that failed by");
        browser.tabTo("Replay these…");
        scene.mend("label", "shipping");
        browser.press(Keys.ENTER);
        browser.see("8 messages would run again");
        browser.tabTo("reason");
        browser.press("INC-43", Keys.TAB);
        browser.tabTo("Run all 8");
        browser.press(Keys.ENTER);
        browser.see("8 of 8: 8 processed.");
        assertThat(browser.element("#told").getDomProperty("textContent")).contains("done: 8 of 8");
        assertThat(browser.incidents()).isEmpty();
    }

    @Test
    void dropsAMessageAndTellsWhoDidIt() {
        browser.login("ada");
        scene.quarantine("dropping", 2);
        browser.open("message", "dropping", "order-0");
        browser.click("Drop it…");
        browser.see("1 message would be dropped.");
        browser.type("reason", "INC-45");
        browser.click("Drop");
        browser.see("1 message is dropped.");
        browser.open("audit?consumer=dropping");
        browser.see("INC-45");
        assertThat(browser.element("tbody tr").getText()).contains("ada", "drop", "dropping");
    }

    @Test
    void comesBackToItsPlaceAfterALogin() {
        browser.login("ada");
        scene.quarantine("waiting", 2);
        browser.open("message", "waiting", "order-0");
        browser.see("Message order-0");
        browser.reloadAndLogin("ada");
        browser.see("Message order-0");
        browser.open("consumers");
        browser.reloadAndLogin("ada");
        browser.see("Rates and duplicates: this instance");
    }

    @Test
    void showsHostileDataAsText() {
        browser.login("ada");
        scene.quarantineHostileMessages();
        String consumer = ConsoleScene.LONG_NAME;
        for (String view : List.of(
                "consumers",
                "quarantine?consumer=",
                "plan?consumer=",
                "replays?consumer=",
                "audit?consumer=",
                "drop?consumer=")) {
            browser.open(view.endsWith("=") ? view + consumer : view);
            quiet(view);
        }
        String list = "quarantine?list=all&consumer=" + consumer;
        browser.open(list);
        browser.see("<img src=x onerror=ran=1>");
        browser.see("\\u202E");
        quiet(list);
        for (int i = 1; i <= 4; i++) {
            browser.open(list);
            browser.clickOn("tbody tr:nth-child(" + i + ") a");
            browser.see("Why it failed");
            browser.click("Stack trace");
            browser.see("<script>ran=1</script>");
            quiet("message " + i);
        }
        browser.open("why", consumer, "javascript:ran=1");
        browser.see("is in quarantine");
        quiet("why");
        browser.open("why?consumer=%3Cimg%20src=x%20onerror=ran=1%3E&id=%3Cscript%3Eran=1%3C/script%3E");
        browser.see("A consumer is named by");
        browser.run("location.hash = '#/<img src=x onerror=ran=1>'; return 0");
        browser.see("Consumers");
        assertThat(browser.run("return window.ran + window.violations.join()")).isEqualTo("0");
    }

    /** Nothing ran, the policy had nothing to refuse, and no text is wider than a window or a phone. */
    private static void quiet(String where) {
        for (int width : List.of(360, 1280)) {
            browser.size(width, 800);
            assertThat(browser.overflow()).as(where).isNotPositive();
        }
        assertThat(browser.incidents()).as(where).isEmpty();
    }

    @Test
    void showsAReaderEverythingButButtons() {
        browser.login("bob");
        scene.quarantine("reader-sees", 3);
        browser.open("quarantine?consumer=reader-sees");
        browser.see("Read only");
        browser.see("role ADMIN");
        browser.click("Open");
        browser.see("order-");
        for (String view : List.of(
                "quarantine?consumer=reader-sees",
                "plan?consumer=reader-sees",
                "drop?consumer=reader-sees&id=order-1",
                "forget?consumer=reader-sees")) {
            browser.open(view);
            browser.see("Read only");
            assertThat(browser.count("main button")).as(view).isZero();
            assertThat(browser.text()).as(view).doesNotContain("Replay…", "Drop it…");
        }
        assertThat(browser.runAsync("""
                const done = arguments[0];
                import(location.pathname + 'api.js').then(async api => {
                    await api.openSession();
                    await api.write('drop', {consumer: 'reader-sees', id: 'order-1', reason: 'INC-44'});
                    done('dropped');
                }).catch(refused => done(refused.status + ' ' + refused.message));
                """).toString()).startsWith("403 ").contains("role ADMIN");
    }

    @Test
    void showsAHundredThousandMessagesBesideARunningConsumer() {
        browser.login("ada");
        browser.open("consumers");
        int before = scene.handledMails();
        scene.quarantineInBulk("bulk", 100_000);
        for (String view : List.of(
                "quarantine?consumer=bulk",
                "quarantine?consumer=bulk&list=all",
                "quarantine?consumer=bulk&failureGroup=group-3")) {
            long began = System.nanoTime();
            browser.open(view);
            browser.until("rows", () -> browser.count("tbody tr, .groups > li") > 0);
            System.out.printf(
                    "100,000 quarantined messages: %s after %d ms%n", view, (System.nanoTime() - began) / 1_000_000);
        }
        browser.until("rows", () -> browser.count("tbody tr") == 50);
        String first = browser.element("tbody a").getText();
        browser.click("Next page");
        browser.until(
                "the next page", () -> !browser.element("tbody a").getText().equals(first));
        assertThat(browser.count("tbody tr")).isEqualTo(50);
        browser.see("First page");
        browser.until("mails", () -> scene.handledMails() > before);
        assertThat(browser.overflow()).isNotPositive();
    }

    @Test
    void isLegibleInLightAndDark() throws IOException {
        browser.login("ada");
        scene.quarantine("legible", 3);
        for (String scheme : List.of("light", "dark")) {
            browser.scheme(scheme);
            for (String view : List.of(
                    "consumers",
                    "quarantine?consumer=legible",
                    "quarantine?consumer=legible&list=all",
                    "message?consumer=legible&id=order-1",
                    "plan?consumer=legible",
                    "audit")) {
                browser.open(view);
                browser.until("content", () -> browser.text().length() > 200);
                assertThat(browser.tooPale()).as(scheme + " " + view).isEmpty();
            }
            assertThat(browser.run("return getComputedStyle(document.body).backgroundColor"))
                    .isEqualTo(scheme.equals("dark") ? "rgb(17, 21, 27)" : "rgb(245, 246, 248)");
        }
        browser.scheme("light");
    }

    @Test
    void isConfiguredAsTheDocumentShows() throws IOException {
        String source = Files.readString(Path.of("src/test/java/io/idempotency/web/ConsoleSecurity.java"));
        String region =
                source.substring(source.indexOf("// tag::security[]\n") + 19, source.indexOf("    // end::security[]"));
        assertThat(Files.readString(IMAGES.resolveSibling("console.md")))
                .contains("```java\n" + region.indent(-4) + "```");
    }

    // Only on request: with -Didempotency.docs=write the pictures of docs/console.md are taken anew.
    private static void pictures() throws IOException {
        if (WRITES) {
            browser.until("half a minute of rates", () -> (Boolean) browser.run(
                    "return [...document.querySelectorAll('polyline')].some(line => line.points.length > 15)"));
        }
        picture("console-consumers");
        browser.scheme("dark");
        browser.size(360, 740);
        picture("console-phone");
        browser.scheme("light");
        browser.size(1280, 800);
    }

    private static void picture(String name) throws IOException {
        if (WRITES) {
            browser.picture(IMAGES.resolve(name + ".png"));
        }
    }
}
