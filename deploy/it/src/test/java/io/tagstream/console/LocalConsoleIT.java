/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console;

import static org.assertj.core.api.Assertions.assertThat;

import io.tagstream.cli.CommandProcess;
import io.tagstream.it.InRun;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.By;

/** The console that {@code local} serves, in a browser, with a broker, a registry and a model behind it. */
@InRun
class LocalConsoleIT {
    private static final Pattern ADDRESS = Pattern.compile("console is on (http://\\S+)");
    private static final String UPLOADED = "//article[starts-with(@data-image, 'upload-')]";

    @TempDir
    static Path directory;

    private static CommandProcess local;
    private static Browser browser;
    private static String url;

    @BeforeAll
    static void start() throws Exception {
        browser = Browser.open();
        Path photos = Files.createDirectory(directory.resolve("photos"));
        for (String sample : List.of("cat.jpg", "dogs.jpg", "coffee.jpg")) {
            Files.copy(CommandProcess.SAMPLES.resolve(sample), photos.resolve(sample));
        }
        local = CommandProcess.start(
                "local",
                photos.toString(),
                "--http-port",
                "0",
                "--data-dir",
                directory.resolve("data").toString());
        local.awaitNote("3 images tagged");
        Matcher address = ADDRESS.matcher(local.errors());
        assertThat(address.find()).isTrue();
        url = address.group(1);
    }

    @AfterAll
    static void stop() throws Exception {
        if (browser != null) {
            browser.close();
        }
        if (local != null) {
            local.terminate();
            local.awaitEnd();
            local.close();
        }
    }

    @Test
    void shouldTagADroppedPhotoAndFindIt() throws Exception {
        browser.go(url + "/#/");
        browser.await("an image that was there", By.cssSelector("[data-image='cat.jpg'] .tags"));
        Path mountains = Files.copy(
                CommandProcess.SAMPLES.resolve("mountains.jpg"),
                directory.resolve("<img src=x onerror=window.hacked=1>.jpg"));
        browser.drop(mountains);
        browser.awaitText(By.xpath(UPLOADED + "//ul"), "mountain 0.");
        browser.awaitText(By.xpath(UPLOADED + "//h3"), "<img src=x onerror=window.hacked=1>.jpg");
        browser.awaitText(By.cssSelector(".said"), "is tagged: ");
        assertThat(browser.script("return window.hacked")).isNull();
        assertThat(browser.script("return document.querySelector(\"[data-image='cat.jpg'] img\").naturalWidth"))
                .as("a small picture")
                .isEqualTo(320L);

        browser.choose("Search");
        browser.type(By.name("q"), "mountains");
        browser.click(By.cssSelector(".search button"));
        browser.awaitText(By.id("found"), "1 image");
        browser.click(By.xpath(UPLOADED + "//a"));
        browser.awaitText(By.cssSelector("dl"), "new image");
        try (var files = Files.list(directory.resolve("data/uploads"))) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .allMatch(name -> name.matches("upload-[0-9a-f-]+\\.jpg"));
        }
        assertThat(browser.complaints()).noneMatch(complaint -> complaint.contains("Content Security Policy"));
    }

    @Test
    void shouldShowWhatFailedAndWhy() throws Exception {
        browser.go(url + "/#/");
        browser.await("the way in", By.cssSelector(".drop"));
        Path broken = Files.write(
                directory.resolve("broken.jpg"),
                java.util.Arrays.copyOf(Files.readAllBytes(CommandProcess.SAMPLES.resolve("bridge.jpg")), 2_000));
        browser.drop(broken);
        browser.awaitText(By.cssSelector(".failed"), "corrupt image");
        browser.choose("Health");
        browser.awaitText(By.cssSelector("table"), "corrupt image");
        browser.drop(Files.writeString(directory.resolve("notes.jpg"), "no picture at all"));
        browser.awaitText(By.cssSelector("[role=alert]"), "not an image of a known format");
    }

    @Test
    void shouldTagNewPhotosWithANewLabelUntilItIsRemoved() throws Exception {
        addLabel("espresso", "0.05");
        browser.go(url + "/#/");
        browser.await("the way in", By.cssSelector(".drop"));
        browser.drop(CommandProcess.SAMPLES.resolve("coffee.jpg"));
        browser.awaitText(By.xpath(UPLOADED + "//ul"), "espresso");
        removeLabel("espresso");
    }

    /** Images that are already tagged follow the vocabulary, and the console previews what a label would do. */
    @Test
    void shouldShowWhatALabelWouldDoAndHaveOlderPhotosFollow() throws Exception {
        assertThat(status()).contains("\"queries\":true");
        browser.go(url + "/#/vocabulary");
        browser.click(By.id("add-label"));
        browser.type(By.name("name"), "kitten");
        browser.awaitText(By.cssSelector("#preview caption"), "known images");
        assertThat(browser.await("how many match", By.cssSelector("#preview tbody tr:first-child td"))
                        .getText())
                .matches("\\d+");
        browser.type(By.name("threshold"), "0.1");
        browser.awaitText(By.cssSelector("#preview caption"), "would get the tag, with a score of at least 0.10");
        browser.click(By.cssSelector("#editor button[type=submit]"));
        browser.awaitText(By.cssSelector(".said"), "“kitten” is in force");
        browser.click(By.id("add-label"));
        browser.type(By.name("name"), "kitten");
        browser.click(By.cssSelector("#editor button[type=submit]"));
        browser.awaitText(By.cssSelector("#editor [role=alert]"), "label \"kitten\" already exists");
        browser.click(By.xpath("//button[text()='Cancel']"));
        browser.choose("Wall");
        browser.awaitText(By.cssSelector("[data-image='cat.jpg'] .tags"), "kitten");
        browser.choose("Search");
        browser.type(By.name("q"), "kitten");
        browser.click(By.cssSelector(".search button"));
        browser.await("the older photo", By.cssSelector("[data-image='cat.jpg']"));
        browser.go(url + "/#/image/cat.jpg");
        browser.awaitText(By.cssSelector(".history"), "kitten added");
        removeLabel("kitten");
        browser.choose("Wall");
        browser.awaitGone("the tag", By.xpath("//article[@data-image='cat.jpg']//li[contains(., 'kitten')]"));
    }

    private static void addLabel(String name, String threshold) {
        browser.go(url + "/#/vocabulary");
        browser.click(By.id("add-label"));
        browser.type(By.name("name"), name);
        browser.type(By.name("threshold"), threshold);
        browser.click(By.cssSelector("#editor button[type=submit]"));
        browser.awaitText(By.cssSelector(".said"), "“" + name + "” is in force");
    }

    private static void removeLabel(String name) {
        browser.choose("Vocabulary");
        browser.type(By.cssSelector(".above-grid input"), name);
        browser.click(By.xpath("//button[@aria-label='Remove " + name + "']"));
        browser.click(By.xpath("//dialog[@id='remover']//button[text()='Remove it']"));
        browser.awaitText(By.cssSelector(".said"), "The removal of “" + name + "” is in force");
        browser.awaitGone("the label", By.cssSelector("[data-label='" + name + "']"));
    }

    private static String status() throws Exception {
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create(url + "/api/status")).build(),
                        HttpResponse.BodyHandlers.ofString())
                .body();
    }
}
