/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console;

import io.tagstream.cli.CommandProcess;
import io.tagstream.it.InFull;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.commons.io.FileUtils;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.openqa.selenium.By;

/** Takes the documentation's pictures of the console: {@code -Dit.pictures=DIRECTORY -Dit.test=ConsolePicturesIT}. */
@EnabledIfSystemProperty(named = "it.pictures", matches = ".+")
@InFull
class ConsolePicturesIT {
    private static final Pattern ADDRESS = Pattern.compile("console is on (http://\\S+)");

    @Test
    void shouldShowEveryViewInLightAndDark() throws Exception {
        Path directory = Files.createDirectories(Path.of(System.getProperty("it.pictures")));
        Path photos = Path.of(System.getProperty("java.io.tmpdir"), "photos"); // which the pictures show
        FileUtils.deleteDirectory(photos.toFile()); // another version may have left its own
        FileUtils.copyDirectory(CommandProcess.SAMPLES.toFile(), photos.toFile());
        try (CommandProcess local = CommandProcess.start("local", photos.toString(), "--http-port", "0");
                Browser browser = Browser.open()) {
            local.awaitNote("12 images tagged");
            Matcher address = ADDRESS.matcher(local.errors());
            if (!address.find()) {
                throw new AssertionError(local.errors());
            }
            String url = address.group(1);
            for (String scheme : List.of("light", "dark")) {
                browser.prefer(scheme);
                browser.go(url + "/?" + scheme + "#/");
                browser.await("the wall", By.cssSelector("[data-image='cat.jpg'] .tags"));
                browser.awaitPictures();
                browser.picture(directory.resolve("wall-" + scheme + ".png"));
                browser.go(url + "/#/search?q=animal");
                browser.awaitText(By.id("found"), "5 images");
                browser.awaitPictures();
                browser.picture(directory.resolve("search-" + scheme + ".png"));
                browser.go(url + "/#/vocabulary");
                browser.await("a label", By.cssSelector("[data-label]"));
                browser.click(By.id("add-label"));
                browser.type(By.name("name"), "kitten");
                browser.awaitText(By.cssSelector("#preview caption"), "known images");
                browser.awaitPictures();
                browser.picture(directory.resolve("vocabulary-" + scheme + ".png"));
                browser.click(By.cssSelector("#editor button[type=submit]"));
                browser.awaitText(By.cssSelector(".said"), "“kitten” is in force");
                browser.go(url + "/#/");
                browser.awaitText(By.cssSelector("[data-image='cat.jpg'] .tags"), "kitten");
                browser.go(url + "/#/image/cat.jpg");
                browser.awaitText(By.cssSelector(".history"), "kitten added");
                browser.awaitPictures();
                browser.picture(directory.resolve("image-" + scheme + ".png"));
                browser.choose("Vocabulary");
                browser.type(By.cssSelector(".above-grid input"), "kitten");
                browser.click(By.xpath("//button[@aria-label='Remove kitten']"));
                browser.click(By.xpath("//dialog[@id='remover']//button[text()='Remove it']"));
                browser.awaitGone("the label", By.cssSelector("[data-label='kitten']"));
            }
            local.terminate();
            local.awaitEnd();
        }
    }
}
