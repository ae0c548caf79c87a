package io.idempotency.web;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import java.io.File;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.logging.Level;
import org.junit.jupiter.api.Assumptions;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.NoSuchElementException;
import org.openqa.selenium.StaleElementReferenceException;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.logging.LogEntry;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;
import org.openqa.selenium.support.ui.WebDriverWait;

/** A Chromium without a window. It notes what runs that should not, and what its security policy refuses. */
final class ConsoleBrowser implements AutoCloseable {

    private static final File DRIVER = new File("/usr/bin/chromedriver");
    private static final File CHROMIUM = new File("/usr/bin/chromium");
    private static final int MOST_TABS = 80;

    private static final String WATCH = """
            window.ran = 0;
            window.violations = [];
            window.alert = () => { window.ran = 1; };
            document.addEventListener('securitypolicyviolation', event => window.violations.push(event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sample));
            """;

    /** The texts whose contrast to what is behind them is below 4.5. */
    private static final String TOO_PALE = """
            const parts = color => color.match(/[\\d.]+/g).map(Number);
            const light = ([r, g, b]) => [r, g, b].map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
                    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
            const pale = [];
            for (const element of document.querySelectorAll('body *')) {
                const text = [...element.childNodes].filter(node => node.nodeType === 3).map(node => node.data.trim()).join('');
                if (!text || !element.checkVisibility() || element.closest('.unseen, select')) continue;
                let behind = element;
                while (behind && (parts(getComputedStyle(behind).backgroundColor)[3] ?? 1) === 0) behind = behind.parentElement;
                const [one, other] = [getComputedStyle(element).color, getComputedStyle(behind ?? document.body).backgroundColor].map(c => light(parts(c)));
                const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
                if (ratio < 4.5) pale.push(ratio.toFixed(2) + ' ' + text.slice(0, 60));
            }
            return pale.join('\\n');
            """;

    private final ChromeDriver driver;
    private final String address;
    private String user = "";

    /** Skips the test where it is not installed. */
    static void requireInstalled() {
        Assumptions.assumeTrue(
                DRIVER.canExecute() && CHROMIUM.canExecute(),
                "The tests of the console need the Debian packages chromium and chromium-driver");
    }

    ConsoleBrowser(String address) {
        this.address = address;
        LoggingPreferences logs = new LoggingPreferences();
        logs.enable(LogType.BROWSER, Level.WARNING);
        ChromeOptions options = new ChromeOptions();
        options.setBinary(CHROMIUM);
        options.addArguments("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage");
        options.setCapability("goog:loggingPrefs", logs);
        driver = new ChromeDriver(
                new ChromeDriverService.Builder().usingDriverExecutable(DRIVER).build(), options);
        driver.executeCdpCommand("Page.addScriptToEvaluateOnNewDocument", Map.of("source", WATCH));
        driver.executeCdpCommand("Emulation.setScrollbarsHidden", Map.of("hidden", true));
        driver.get("about:blank");
        size(1280, 800);
    }

    void size(int width, int height) {
        driver.executeCdpCommand(
                "Emulation.setDeviceMetricsOverride",
                Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", width < 600));
    }

    void scheme(String scheme) {
        driver.executeCdpCommand(
                "Emulation.setEmulatedMedia",
                Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", scheme))));
    }

    /** Logs in by the application's own page, unless this user is logged in. */
    void login(String name) {
        if (!user.equals(name)) {
            driver.get("about:blank");
            driver.executeCdpCommand("Network.clearBrowserCookies", Map.of());
            driver.get(address);
            submit(name);
            user = name;
        }
    }

    /** Loads the page again after the application has forgotten who is logged in, as it does when it starts again. */
    void reloadAndLogin(String name) {
        driver.executeCdpCommand("Network.clearBrowserCookies", Map.of());
        driver.navigate().refresh();
        submit(name);
        user = name;
    }

    private void submit(String name) {
        element("input[name=username]").sendKeys(name);
        element("input[name=password]").sendKeys(name.substring(0, 1));
        element("button[type=submit]").click();
        see(name);
    }

    /** Opens a view anew, and waits until it is there. */
    void open(String view) {
        driver.get("about:blank");
        driver.get(address + "#/" + view);
        until("h1", () -> !driver.findElements(By.cssSelector("main h1")).isEmpty());
    }

    void open(String view, String consumer, String id) {
        open(view + "?consumer=" + consumer + "&id=" + URLEncoder.encode(id, UTF_8));
    }

    String text() {
        return driver.findElement(By.tagName("body")).getText();
    }

    /** Waits until the text is on the page. */
    void see(String text) {
        until(text, () -> text().contains(text));
    }

    void click(String text) {
        until(text, () -> {
            target(text).click();
            return true;
        });
    }

    void clickOn(String selector) {
        until(selector, () -> {
            element(selector).click();
            return true;
        });
    }

    void type(String field, String text) {
        WebElement input = element("[name=" + field + "]");
        input.clear();
        input.sendKeys(text);
    }

    /** Presses tab until the link, button or field has the focus, and fails if it cannot be reached or the focus does not show. */
    void tabTo(String text) {
        until(text, () -> target(text).isDisplayed());
        WebElement wanted = target(text);
        for (int i = 0; i < MOST_TABS; i++) {
            WebElement active = driver.switchTo().activeElement();
            if (active.equals(wanted)) {
                if ("none".equals(active.getCssValue("outline-style"))) {
                    throw new AssertionError("The focus does not show at " + text);
                }
                return;
            }
            active.sendKeys(Keys.TAB);
        }
        throw new AssertionError(text + " cannot be reached by the keyboard");
    }

    void press(CharSequence... keys) {
        driver.switchTo().activeElement().sendKeys(keys);
    }

    private WebElement target(String text) {
        return driver.findElements(By.cssSelector("a, button, summary, input, select")).stream()
                .filter(each -> each.getText().strip().equals(text) || text.equals(each.getDomAttribute("name")))
                .filter(WebElement::isDisplayed)
                .findFirst()
                .orElseThrow(() -> new NoSuchElementException(text));
    }

    WebElement element(String selector) {
        return driver.findElement(By.cssSelector(selector));
    }

    int count(String selector) {
        return driver.findElements(By.cssSelector(selector)).size();
    }

    Object run(String script) {
        return requireNonNull(driver.executeScript(script));
    }

    Object runAsync(String script) {
        return requireNonNull(driver.executeAsyncScript(script));
    }

    String tooPale() {
        return (String) run(TOO_PALE);
    }

    /** Returns what ran, what the policy refused, and what the browser logged; all of it should be empty. */
    List<String> incidents() {
        List<String> logged = driver.manage().logs().get(LogType.BROWSER).getAll().stream()
                .map(LogEntry::getMessage)
                .toList();
        Object ran = run("return window.ran + ' ' + window.violations.join()");
        return ran.equals("0 ") && logged.isEmpty() ? List.of() : List.of(ran.toString(), logged.toString());
    }

    /** Returns by how many pixels the page is wider than its window. */
    long overflow() {
        return (Long) run("return document.documentElement.scrollWidth - window.innerWidth");
    }

    void until(String what, BooleanSupplier condition) {
        new WebDriverWait(driver, Duration.ofMinutes(1), Duration.ofMillis(50))
                .ignoring(NoSuchElementException.class, StaleElementReferenceException.class)
                .withMessage(() -> what + " on " + driver.getCurrentUrl() + "\n" + text())
                .until(each -> condition.getAsBoolean());
    }

    /** Writes a picture of what the window shows, without the empty part below. */
    void picture(Path file) throws IOException {
        Object width = run("document.activeElement.blur(); return window.innerWidth");
        Object height = run(
                "return Math.min(window.innerHeight, Math.ceil(document.querySelector('main').lastChild.getBoundingClientRect().bottom) + 24)");
        Object data = driver.executeCdpCommand(
                        "Page.captureScreenshot",
                        Map.of(
                                "format",
                                "png",
                                "clip",
                                Map.of("x", 0, "y", 0, "width", width, "height", height, "scale", 1)))
                .get("data");
        Files.createDirectories(requireNonNull(file.getParent()));
        Files.write(file, Base64.getDecoder().decode((String) requireNonNull(data)));
    }

    @Override
    public void close() {
        driver.quit();
    }
}
