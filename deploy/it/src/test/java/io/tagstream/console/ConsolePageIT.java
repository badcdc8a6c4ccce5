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
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;

/** The page in a browser, over answers that can be told beforehand. */
@InRun
class ConsolePageIT {
    private static final String SCRIPT = "<img src=x onerror=\"window.hacked=1\"><script>window.hacked=1</script>";
    private static final List<String> VIEWS = List.of("Wall", "Search", "Vocabulary", "Health");

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

    /** The check that the next test stands on. */
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

    @Test
    void shouldBeUsableWithTheKeyboardAlone() throws Exception {
        try (ConsoleFixture console = fixture(Map.of())) {
            browser.go(console.url("/#/vocabulary"));
            browser.await("the button", By.id("add-label")).sendKeys(Keys.ENTER);
            browser.await("the editor", By.cssSelector("#editor[open]"));
            assertThat(browser.script("return document.activeElement.name")).isEqualTo("name");
            browser.type(By.name("name"), "grey heron");
            browser.await("the name", By.name("name")).sendKeys(Keys.ENTER);
            browser.awaitText(By.cssSelector(".said"), "“grey heron” is in force, vocabulary epoch 7");
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
            browser.script("import('/console/app.js').then(page => page.say('something has happened'))");
            browser.awaitText(By.cssSelector(".said"), "something has happened");
            assertThat(browser.script("return document.querySelector('[name=q]').value"))
                    .isEqualTo("half a wo");
        }
    }

    /** A browser has six connections for a server, and a page that nobody sees must not keep one. */
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
            browser.awaitText(By.id("main"), "#/bogus leads nowhere");
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
