/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What must hold of the README and of the pages of {@code deploy/docs} before anything is run. */
class PagesTest {
    private static final int README_WORDS = 1_500;
    /** Where there are pages that people read. */
    private static final List<String> DIRECTORIES = List.of(
            "",
            ".github",
            "deploy/docs",
            "deploy/connect",
            "deploy/samples",
            "model-runtime",
            "model-runtime/training");

    private final Map<Path, MarkdownPage> read = new HashMap<>();

    @Test
    void shouldLinkOnlyToFilesAndHeadingsThatAreThere() throws Exception {
        List<String> broken = new ArrayList<>();
        for (String directory : DIRECTORIES) {
            for (MarkdownPage page : MarkdownPage.in(directory)) {
                page.links().stream()
                        .filter(link -> !isElsewhere(link.target()) && !leadsSomewhere(page, link.target()))
                        .forEach(link -> broken.add("%s:%d: %s".formatted(page, link.line(), link.target())));
            }
        }
        assertThat(broken).as("links that lead nowhere").isEmpty();
    }

    private static boolean isElsewhere(String target) {
        return target.matches("[a-z]+:.*");
    }

    private boolean leadsSomewhere(MarkdownPage from, String target) {
        int hash = target.indexOf('#');
        String file = hash < 0 ? target : target.substring(0, hash);
        Path path =
                file.isEmpty() ? from.path() : from.path().resolveSibling(file).normalize();
        if (!path.startsWith(MarkdownPage.ROOT) || !Files.exists(path)) {
            return false;
        }
        return hash < 0 || anchors(path).contains(target.substring(hash + 1));
    }

    private Set<String> anchors(Path path) {
        return read.computeIfAbsent(path, unread -> {
                    try {
                        return MarkdownPage.read(unread);
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                })
                .anchors();
    }

    @Test
    void shouldLeadFromEveryAlertToAHeading() throws Exception {
        MarkdownPage root = MarkdownPage.read(MarkdownPage.ROOT.resolve("README.md"));
        String alerts = Files.readString(MarkdownPage.ROOT.resolve("deploy/chart/monitoring/alerts.yaml"));
        List<String> links = Pattern.compile("runbook_url: (\\S+)")
                .matcher(alerts)
                .results()
                .map(link -> link.group(1))
                .toList();
        assertThat(links)
                .hasSameSizeAs(
                        Pattern.compile("- alert:").matcher(alerts).results().toList())
                .allMatch(link -> leadsSomewhere(root, link));
    }

    @Test
    void shouldListEveryPageInTheIndex() throws Exception {
        MarkdownPage index = MarkdownPage.read(MarkdownPage.ROOT.resolve("deploy/docs/README.md"));
        List<String> linked =
                index.links().stream().map(MarkdownPage.Link::target).toList();
        assertThat(MarkdownPage.all())
                .filteredOn(page -> page.path().getParent().equals(index.path().getParent()))
                .extracting(page -> page.path().getFileName().toString())
                .filteredOn(name -> !name.equals("README.md"))
                .isNotEmpty()
                .isSubsetOf(linked);
    }

    @Test
    void shouldHaveNoCommandsInALanguageThatNoTestRuns() throws Exception {
        assertThat(MarkdownPage.all().stream().flatMap(page -> page.blocks().stream()))
                .isNotEmpty()
                .allSatisfy(block -> assertThat(block.isRun() || Block.SHOWN.contains(block.language()))
                        .as("%s: the language \"%s\"", block, block.language())
                        .isTrue());
    }

    @Test
    void shouldKeepTheReadmeShort() throws Exception {
        String readme = Files.readString(MarkdownPage.ROOT.resolve("README.md"));
        assertThat(readme.strip().split("\\s+", -1)).hasSizeLessThanOrEqualTo(README_WORDS);
    }
}
