/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.stream.Stream;
import org.apache.commons.io.FileUtils;
import org.openqa.selenium.By;
import org.openqa.selenium.Dimension;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.StaleElementReferenceException;
import org.openqa.selenium.WebDriver;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.WindowType;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.interactions.PointerInput;
import org.openqa.selenium.interactions.Sequence;
import org.openqa.selenium.support.ui.WebDriverWait;

/** This machine's headless Chromium, with the actions that console tests need. */
final class Browser implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofMinutes(1);
    private static final Dimension WINDOW = new Dimension(1200, 860);

    private final Path profile;
    private final ChromeDriver driver;

    private Browser(Path profile, ChromeDriver driver) {
        this.profile = profile;
        this.driver = driver;
    }

    /** Opens a browser. Without Chromium the test is skipped, or fails if CI is set. */
    static Browser open() throws IOException {
        Optional<Path> chromium = onPath("chromium");
        Optional<Path> chromedriver = onPath("chromedriver");
        if (chromium.isEmpty() || chromedriver.isEmpty()) {
            String missing = "no chromium and chromedriver on the PATH; install Debian's chromium and chromium-driver";
            if (System.getenv("CI") != null) {
                fail(missing);
            }
            abort(missing);
        }
        Path profile = Files.createTempDirectory("tagstream-browser-");
        ChromeOptions options = new ChromeOptions();
        options.setBinary(chromium.get().toFile());
        options.addArguments(
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--hide-scrollbars",
                "--user-data-dir=" + profile);
        ChromeDriverService service = new ChromeDriverService.Builder()
                .usingDriverExecutable(chromedriver.get().toFile())
                .build();
        ChromeDriver driver = new ChromeDriver(service, options);
        driver.manage().window().setSize(WINDOW);
        driver.manage().timeouts().scriptTimeout(PATIENCE);
        return new Browser(profile, driver);
    }

    private static Optional<Path> onPath(String program) {
        return Stream.of(System.getenv("PATH").split(File.pathSeparator, -1))
                .map(directory -> Path.of(directory, program))
                .filter(Files::isExecutable)
                .findFirst();
    }

    void go(String url) {
        driver.get(url);
    }

    /** Goes back to the previous page. */
    void back() {
        driver.navigate().back();
    }

    /** Opens another tab, in front of the others. */
    void openTab() {
        driver.switchTo().newWindow(WindowType.TAB);
    }

    /** Switches to the tab that was opened last. */
    void toLastTab() {
        new WebDriverWait(driver, PATIENCE)
                .withMessage("another tab")
                .until(page -> page.getWindowHandles().size() > 1);
        List<String> tabs = List.copyOf(driver.getWindowHandles());
        driver.switchTo().window(tabs.get(tabs.size() - 1));
    }

    /** Closes all tabs but the first. */
    void closeTabs() {
        List<String> tabs = List.copyOf(driver.getWindowHandles());
        for (String tab : tabs.subList(1, tabs.size())) {
            driver.switchTo().window(tab).close();
        }
        driver.switchTo().window(tabs.get(0));
    }

    /** Goes to a view by its link in the menu. */
    void choose(String view) {
        click(By.xpath("//nav//a[text()='" + view + "']"));
        await("the heading " + view, By.xpath("//h1[text()='" + view + "']"));
    }

    WebElement await(String what, By element) {
        return new WebDriverWait(driver, PATIENCE)
                .withMessage(what)
                .until(page -> page.findElements(element).stream().findFirst().orElse(null));
    }

    void awaitGone(String what, By element) {
        new WebDriverWait(driver, PATIENCE)
                .withMessage(what + " is still there")
                .until(page -> page.findElements(element).isEmpty());
    }

    /** Waits until an element contains this text. */
    void awaitText(By element, String text) {
        new WebDriverWait(driver, PATIENCE)
                .ignoring(StaleElementReferenceException.class)
                .withMessage(() -> "%s says \"%s\"; it says %s, and the page at %s says %s"
                        .formatted(
                                element,
                                text,
                                texts(driver, element),
                                driver.getCurrentUrl(),
                                texts(driver, By.tagName("body"))))
                .until(page -> texts(page, element).stream().anyMatch(found -> found.contains(text)));
    }

    private static List<String> texts(WebDriver page, By element) {
        return page.findElements(element).stream().map(WebElement::getText).toList();
    }

    List<WebElement> all(By element) {
        return driver.findElements(element);
    }

    void click(By element) {
        await(element.toString(), element).click();
    }

    /** Clicks a mouse button over an element, even if another covers it; the middle button opens links in a tab. */
    void press(PointerInput.MouseButton button, By element) {
        PointerInput mouse = new PointerInput(PointerInput.Kind.MOUSE, "mouse");
        Sequence click = new Sequence(mouse, 0)
                .addAction(mouse.createPointerMove(
                        Duration.ZERO, PointerInput.Origin.fromElement(await(element.toString(), element)), 0, 0))
                .addAction(mouse.createPointerDown(button.asArg()))
                .addAction(mouse.createPointerUp(button.asArg()));
        driver.perform(List.of(click));
    }

    /** Withholds the status from pages opened from now on, until their {@code letStatusGo()} is called. */
    AutoCloseable holdStatus() {
        Object script = driver.executeCdpCommand(
                        "Page.addScriptToEvaluateOnNewDocument",
                        Map.of(
                                "source",
                                "const held = new Promise(resolve => { window.letStatusGo = resolve; });"
                                        + "const fetched = window.fetch;"
                                        + "window.fetch = async (path, ...more) => {"
                                        + "  if (path === '/api/status') await held;"
                                        + "  return fetched(path, ...more);"
                                        + "};"))
                .get("identifier");
        return () -> driver.executeCdpCommand("Page.removeScriptToEvaluateOnNewDocument", Map.of("identifier", script));
    }

    void type(By element, CharSequence text) {
        WebElement field = await(element.toString(), element);
        field.clear();
        field.sendKeys(text);
    }

    /** Drops a file on the page, as if dragged from a folder. */
    void drop(Path file) {
        driver.executeScript("const input = document.createElement('input');"
                + "input.type = 'file'; input.id = 'dropped'; document.body.append(input);");
        driver.findElement(By.id("dropped")).sendKeys(file.toAbsolutePath().toString());
        driver.executeScript("const input = document.getElementById('dropped');"
                + "const dataTransfer = new DataTransfer(); dataTransfer.items.add(input.files[0]); input.remove();"
                + "for (const type of ['dragover', 'drop'])"
                + "  document.body.dispatchEvent("
                + "    new DragEvent(type, {bubbles: true, cancelable: true, dataTransfer}));");
    }

    Object script(String script) {
        return driver.executeScript(script);
    }

    /** Asserts that axe finds no serious or critical accessibility violations. */
    void assertAccessible(String what) throws IOException {
        driver.executeScript(axe());
        Object found = driver.executeAsyncScript(
                "const done = arguments[arguments.length - 1];"
                        + "axe.run(document, {resultTypes: ['violations']}).then(result => done(result.violations"
                        + "  .filter(rule => ['serious', 'critical'].includes(rule.impact))"
                        + "  .map(rule => rule.id + ': ' + rule.nodes.map(node => node.html + ' ' + node.failureSummary).join(' ; '))));");
        assertThat((List<?>) found).as(what).isEmpty();
    }

    private static String axe() throws IOException {
        Properties about = new Properties();
        try (InputStream in =
                Browser.class.getResourceAsStream("/META-INF/maven/org.webjars.npm/axe-core/pom.properties")) {
            about.load(in);
        }
        try (InputStream in = Browser.class.getResourceAsStream(
                "/META-INF/resources/webjars/axe-core/%s/axe.min.js".formatted(about.getProperty("version")))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** The messages in the browser's log, including what the content security policy has blocked. */
    List<String> complaints() {
        return driver.manage().logs().get("browser").getAll().stream()
                .map(entry -> entry.getLevel() + " " + entry.getMessage())
                .toList();
    }

    /** Emulates a system with this colour scheme, dark or light. */
    void prefer(String scheme) {
        driver.executeCdpCommand(
                "Emulation.setEmulatedMedia",
                Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", scheme))));
    }

    /** Emulates a screen of this size, in pixels; it may be narrower than any real window. */
    void narrow(int width, int height) {
        driver.executeCdpCommand(
                "Emulation.setDeviceMetricsOverride",
                Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", false));
    }

    /** Goes back to the normal window size. */
    void widen() {
        driver.executeCdpCommand("Emulation.clearDeviceMetricsOverride", Map.of());
    }

    /** Waits until every picture in view has loaded. */
    void awaitPictures() {
        new WebDriverWait(driver, PATIENCE)
                .withMessage("the pictures are loaded")
                .until(page -> Boolean.TRUE.equals(driver.executeScript("return [...document.images].every(image =>"
                        + " image.complete || image.getBoundingClientRect().top > innerHeight)")));
    }

    /** Saves a screenshot of the window. */
    void picture(Path file) throws IOException {
        Files.write(file, driver.getScreenshotAs(OutputType.BYTES));
    }

    @Override
    public void close() throws IOException {
        driver.quit();
        FileUtils.deleteDirectory(profile.toFile());
    }
}
