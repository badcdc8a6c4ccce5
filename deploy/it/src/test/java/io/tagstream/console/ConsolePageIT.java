/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tagstream.avro.Label;
import io.tagstream.console.live.CurrentFailure;
import io.tagstream.console.search.ImageDocument;
import io.tagstream.it.InRun;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.interactions.PointerInput.MouseButton;

/** The page in a browser, with predictable answers from the server. */
@InRun
class ConsolePageIT {
    private static final String SCRIPT = "<img src=x onerror=\"window.hacked=1\"><script>window.hacked=1</script>";
    private static final List<String> VIEWS = List.of("Wall", "Search", "Vocabulary", "Health");

    private static final String LONG_WORD = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen";
    private static final String LONG_NAME =
            "a person in a bright yellow raincoat who walks a very small dog along the river in the evening";
    private static final String LONG_ID =
            "https://photos.example/albums/2026/summer/IMG_20260829_184502_BURST001_COVER_HDR.jpg?signature="
                    + "0123456789abcdef".repeat(8);

    private static Browser browser;

    @TempDir
    Path directory;

    @BeforeAll
    static void openBrowser() throws Exception {
        browser = Browser.open();
    }

    @AfterAll
    static void closeBrowser() throws Exception {
        if (browser != null) {
            browser.close();
        }
    }

    private ConsoleFixture fixture(Map<String, Object> settings) throws Exception {
        ConsoleFixture console = new ConsoleFixture(directory, settings, Optional.of(new FakeQueries()));
        console.put(
                ConsoleFixture.sample("cat.jpg", Map.of(), tag("cat", 0.99f)),
                ConsoleFixture.sample("dogs.jpg", Map.of("name", SCRIPT), tag(SCRIPT, 0.7f)),
                ConsoleFixture.image(
                        SCRIPT, Path.of("/none"), Map.of(SCRIPT, SCRIPT), tag("\" onload=\"window.hacked=1", 0.5f)));
        console.vocabulary()
                .apply(Map.of(
                        "cat",
                        Label.newBuilder().setName("cat").build(),
                        SCRIPT,
                        Label.newBuilder()
                                .setName(SCRIPT)
                                .setPrompts(List.of(SCRIPT))
                                .build()));
        console.failures()
                .failed(new CurrentFailure(
                        SCRIPT, "javascript:alert(1)", "FETCH_BLOCKED", SCRIPT, 1, Instant.EPOCH, "x"));
        return console;
    }

    private static ImageDocument.TagScore tag(String label, float score) {
        return new ImageDocument.TagScore(label, label, score, 0.4f);
    }

    @Test
    void shouldShowNamesAsTextWhateverTheyHold() throws Exception {
        try (ConsoleFixture console = fixture(Map.of())) {
            browser.go(console.url("/"));
            browser.awaitText(By.cssSelector("[data-image='dogs.jpg'] h3"), SCRIPT);
            browser.awaitText(By.cssSelector("[data-image='dogs.jpg'] .tags"), SCRIPT);
            browser.click(By.xpath("//article[@data-image='" + SCRIPT + "']//a"));
            browser.awaitText(By.cssSelector("dl"), SCRIPT);
            browser.choose("Search");
            browser.awaitText(By.id("found"), "3 images");
            browser.choose("Vocabulary");
            browser.awaitText(By.cssSelector(".labels"), SCRIPT);
            browser.click(By.xpath("(//button[text()='Edit'])[1]"));
            browser.await("the editor", By.cssSelector("#editor[open]"));
            browser.type(By.name("name"), SCRIPT);
            browser.await("the preview", By.id("preview"));
            browser.go(console.url("/#/health"));
            browser.awaitText(By.cssSelector("table"), SCRIPT);

            assertThat(browser.script("return window.hacked")).isNull();
            assertThat(browser.complaints()).noneMatch(complaint -> complaint.contains("Content Security Policy"));
        }
    }

    /** Tests the check that the next test relies on. */
    @Test
    void shouldTellAPageThatKeepsPeopleOut() throws Exception {
        try (ConsoleFixture console = fixture(Map.of())) {
            browser.go(console.url("/"));
            browser.choose("Search");
            browser.script("document.getElementById('main').append(document.createElement('input'))");
            assertThatThrownBy(() -> browser.assertAccessible("a field without a name"))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining("label");
        }
    }

    @Test
    void shouldBeAccessibleInLightAndDark() throws Exception {
        try (ConsoleFixture console = fixture(Map.of())) {
            for (String scheme : List.of("light", "dark")) {
                browser.prefer(scheme);
                browser.go(console.url("/"));
                for (String view : VIEWS) {
                    browser.choose(view);
                    browser.assertAccessible(view + " in " + scheme);
                }
                browser.go(console.url("/#/image/cat.jpg"));
                browser.awaitText(By.cssSelector(".history"), "added at 0.99: new image");
                browser.assertAccessible("image in " + scheme);
                browser.choose("Vocabulary");
                browser.click(By.id("add-label"));
                browser.type(By.name("name"), "heron");
                browser.awaitText(By.id("preview"), "Of 12 known images (3 more cannot be scored)");
                browser.assertAccessible("editor in " + scheme);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {390, 820})
    void shouldFitNarrowScreens(int width) throws Exception {
        try (ConsoleFixture console = wordyFixture()) {
            browser.narrow(width, 844);
            browser.go(console.url("/"));
            for (String view : VIEWS) {
                browser.choose(view);
                browser.awaitText(By.id("main"), LONG_WORD);
                assertFits(view, width);
            }
            browser.go(console.url("/#/image/" + URLEncoder.encode(LONG_ID, StandardCharsets.UTF_8)));
            browser.awaitText(By.cssSelector(".scores"), LONG_WORD);
            assertFits("Image", width);

            browser.go(console.url("/#/vocabulary"));
            browser.click(By.xpath("//button[@aria-label='Edit " + LONG_WORD + "']"));
            browser.awaitText(By.id("preview"), "known images");
            assertFits("the editor", width);
            assertInSight("#editor article");
            assertInSight("#editor button[type=submit]");
            browser.click(By.xpath("//button[text()='Cancel']"));
            browser.click(By.xpath("//button[@aria-label='Remove " + LONG_WORD + "']"));
            browser.await("the question", By.cssSelector("#remover[open]"));
            assertFits("the question", width);
            assertInSight("#remover article");
        } finally {
            browser.widen();
        }
    }

    @Test
    void shouldNotLetALateAnswerOverwriteANewerOne() throws Exception {
        try (ConsoleFixture console = fixture(Map.of())) {
            browser.go(console.url("/?late#/vocabulary"));
            browser.awaitText(By.id("main"), "2 labels");
            // holds back the answer for "c" until the answer for "cat" has arrived
            browser.script("""
                    const real = window.fetch;
                    const late = new Promise((go) => { window.letGo = go; });
                    window.fetch = async (path, ...more) => {
                      const answer = await real(path, ...more);
                      if (new URL(path, location).searchParams.get("text") === "c") {
                        const json = answer.json.bind(answer);
                        answer.json = async () => {
                          await late;
                          setTimeout(() => { window.wasLate = true; }, 200);
                          return json();
                        };
                      }
                      return answer;
                    };
                    """);
            browser.type(By.cssSelector("input[type=search]"), "cat");
            browser.awaitText(By.id("main"), "1 label");

            browser.script("window.letGo()");
            Awaitility.await()
                    .atMost(Duration.ofSeconds(20))
                    .until(() -> Boolean.TRUE.equals(browser.script("return window.wasLate === true")));

            assertThat(browser.all(By.cssSelector(".labels tbody tr"))).hasSize(1);
        }
    }

    /** The editor is taller than this window, and the reason for the refusal must stay in sight. */
    @Test
    void shouldSayWhyASaveIsRefusedBesideTheButton() throws Exception {
        try (ConsoleFixture console = fixture(Map.of())) {
            for (int width : List.of(390, 820)) {
                browser.narrow(width, 500);
                browser.go(console.url("/?" + width + "#/vocabulary"));
                browser.click(By.id("add-label"));
                browser.type(By.name("name"), "cat");
                browser.await("the preview", By.id("preview"));
                browser.click(By.cssSelector("#editor button[type=submit]"));
                browser.awaitText(By.cssSelector("#editor footer [role=alert]"), "label \"cat\" already exists");
                assertInSight("#editor footer [role=alert]");
                assertInSight("#editor button[type=submit]");
            }
        } finally {
            browser.widen();
        }
    }

    @Test
    void shouldOpenCardsAndTagsAsLinks() throws Exception {
        try (ConsoleFixture console = fixture(Map.of())) {
            browser.go(console.url("/"));
            browser.await("the picture", By.cssSelector("[data-image='cat.jpg'] img"));
            browser.press(MouseButton.MIDDLE, By.cssSelector("[data-image='cat.jpg'] img"));
            browser.toLastTab();
            browser.awaitText(By.cssSelector(".history"), "added at 0.99");
            assertThat(browser.script("return location.hash")).isEqualTo("#/image/cat.jpg");
            browser.closeTabs();

            browser.press(MouseButton.MIDDLE, By.xpath("//article[@data-image='cat.jpg']//li//span[text()='cat']"));
            browser.toLastTab();
            browser.awaitText(By.id("found"), "1 image");
            assertThat(browser.script("return location.hash")).isEqualTo("#/search?label=cat");
            browser.closeTabs();

            browser.press(MouseButton.LEFT, By.cssSelector("[data-image='cat.jpg'] img"));
            browser.awaitText(By.cssSelector(".history"), "added at 0.99");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"#/image/%", "#/image/100%/x", "#/image/%ff"})
    void shouldSayThatAnAddressIsMalformed(String address) throws Exception {
        try (ConsoleFixture console = fixture(Map.of())) {
            browser.go("about:blank");
            browser.go(console.url("/" + address));
            browser.awaitText(By.id("main"), "The address " + address + " is malformed");
            browser.choose("Wall");
            browser.await("an image", By.cssSelector("[data-image='cat.jpg']"));
        }
    }

    @Test
    void shouldWaitForTheStatusWhenAViewIsChosenBeforeItIsThere() throws Exception {
        try (ConsoleFixture console = fixture(Map.of());
                AutoCloseable held = browser.holdStatus()) {
            browser.go(console.url("/#/search"));
            browser.choose("Wall");
            browser.script("letStatusGo()");
            browser.await("an image", By.cssSelector("[data-image='cat.jpg']"));
            assertThat(browser.all(By.cssSelector("[role=alert]"))).isEmpty();
        }
    }

    private ConsoleFixture wordyFixture() throws Exception {
        ConsoleFixture console = new ConsoleFixture(directory, Map.of(), Optional.of(new FakeQueries(LONG_WORD)));
        console.put(
                ConsoleFixture.sample("cat.jpg", Map.of(), tag("cat", 0.99f), tag(LONG_WORD, 0.7f)),
                ConsoleFixture.image(
                        LONG_ID,
                        ConsoleFixture.SAMPLES.resolve("dogs.jpg"),
                        Map.of("album", LONG_WORD, LONG_WORD, LONG_NAME),
                        tag(LONG_NAME, 0.8f),
                        tag(LONG_WORD, 0.6f)));
        Map<String, Label> labels = new HashMap<>();
        for (String name : List.of("cat", LONG_WORD, LONG_NAME)) {
            labels.put(
                    name.toLowerCase(Locale.ROOT).replace(' ', '-'),
                    Label.newBuilder()
                            .setName(name)
                            .setPrompts(List.of("a photo of {}", LONG_NAME, LONG_WORD))
                            .build());
        }
        console.vocabulary().apply(labels);
        console.failures()
                .failed(new CurrentFailure(
                        LONG_ID, LONG_ID, "FETCH_BLOCKED", "cannot be read: " + LONG_WORD, 1, Instant.EPOCH, "x"));
        return console;
    }

    private static void assertFits(String what, int width) {
        assertThat((Long) browser.script("return document.scrollingElement.scrollWidth"))
                .as(what)
                .isLessThanOrEqualTo(width);
    }

    /** Asserts that an element is fully in the window and that its content fits its width. */
    private static void assertInSight(String selector) {
        assertThat(browser.script("const element = document.querySelector('%s');".formatted(selector)
                        + "const box = element.getBoundingClientRect();"
                        + "return box.left >= 0 && box.top >= 0 && box.right <= innerWidth && box.bottom <= innerHeight"
                        + "  && element.scrollWidth <= element.clientWidth"))
                .as(selector)
                .isEqualTo(true);
    }

    @Test
    void shouldBeUsableWithTheKeyboardAlone() throws Exception {
        try (ConsoleFixture console = fixture(Map.of())) {
            browser.go(console.url("/#/vocabulary"));
            browser.await("the button", By.id("add-label")).sendKeys(Keys.ENTER);
            browser.await("the editor", By.cssSelector("#editor[open]"));
            assertThat(browser.script("return document.activeElement.name")).isEqualTo("name");
            browser.type(By.name("name"), "grey heron");
            browser.await("the name", By.name("name")).sendKeys(Keys.ENTER);
            browser.awaitText(By.cssSelector(".said"), "“grey heron” is in force from vocabulary epoch 7");
            assertThat(console.written()).containsOnlyKeys("grey-heron");

            browser.click(By.xpath("//button[@aria-label='Remove cat']"));
            browser.await("the question", By.cssSelector("#remover[open]")).sendKeys(Keys.ESCAPE);
            browser.awaitGone("the question", By.id("remover"));
            assertThat(console.written()).doesNotContainKey("cat");

            browser.script("location.reload()");
            browser.await("a label again", By.cssSelector("[data-label='cat']"));
            browser.await("the page", By.tagName("body")).sendKeys(Keys.TAB);
            assertThat(browser.script("return document.activeElement.textContent"))
                    .isEqualTo("Skip to the content");
        }
    }

    @Test
    void shouldLeaveWhatPeopleTypeAloneWhileThingsHappen() throws Exception {
        try (ConsoleFixture console = fixture(Map.of())) {
            browser.go(console.url("/#/search"));
            browser.awaitText(By.id("found"), "3 images");
            browser.type(By.name("q"), "half a wo");
            browser.script("import('/console/page.js').then(page => page.say('something has happened'))");
            browser.awaitText(By.cssSelector(".said"), "something has happened");
            assertThat(browser.script("return document.querySelector('[name=q]').value"))
                    .isEqualTo("half a wo");
        }
    }

    /** A browser has six connections per server, and a hidden page must not keep one. */
    @Test
    void shouldLeaveRoomForOtherPages() throws Exception {
        try (ConsoleFixture console = fixture(Map.of())) {
            browser.go(console.url("/"));
            for (int page = 0; page < 8; page++) {
                browser.openTab();
                browser.go(console.url("/"));
                browser.await("an image", By.cssSelector("[data-image='cat.jpg']"));
            }
            for (int times = 0; times < 8; times++) {
                browser.go("about:blank");
                browser.back();
                browser.await("an image", By.cssSelector("[data-image='cat.jpg']"));
            }
            browser.closeTabs();
        }
    }

    @Test
    void shouldSayThatAnAddressLeadsNowhere() throws Exception {
        try (ConsoleFixture console = fixture(Map.of())) {
            browser.go(console.url("/#/bogus"));
            browser.awaitText(By.id("main"), "There is no page at #/bogus");
        }
    }

    @Test
    void shouldAskForTheTokenAndRememberIt() throws Exception {
        try (ConsoleFixture console = fixture(Map.of(ConsoleKeys.CONSOLE_TOKEN, "open sesame"))) {
            browser.go(console.url("/"));
            browser.type(By.name("token"), "open barley");
            browser.click(By.cssSelector("button[type=submit]"));
            browser.awaitText(By.cssSelector("[role=alert]"), "not the token");
            browser.assertAccessible("the form");
            browser.type(By.name("token"), "open sesame");
            browser.click(By.cssSelector("button[type=submit]"));
            browser.await("an image", By.cssSelector("[data-image='cat.jpg']"));
            browser.go(console.url("/#/health"));
            browser.awaitText(By.cssSelector(".tiles"), "12.5");
        }
    }

    @Test
    void shouldOfferNothingToChangeWhereItIsReadOnly() throws Exception {
        try (ConsoleFixture console = fixture(Map.of(ConsoleKeys.CONSOLE_WRITABLE, false))) {
            browser.go(console.url("/"));
            browser.await("an image", By.cssSelector("[data-image='cat.jpg']"));
            assertThat(browser.all(By.cssSelector(".drop"))).isEmpty();
            browser.choose("Vocabulary");
            browser.await("a label", By.cssSelector("[data-label='cat']"));
            assertThat(browser.all(By.id("add-label"))).isEmpty();
            assertThat(browser.all(By.cssSelector("td.actions"))).isEmpty();
        }
    }
}
