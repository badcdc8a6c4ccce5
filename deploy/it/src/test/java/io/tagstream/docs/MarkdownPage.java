/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.docs;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A page of documentation, as far as these tests look at it: fenced blocks, headings and links. */
final class MarkdownPage {
    /** The repository's root, as this module's tests see it. */
    static final Path ROOT = Path.of("..", "..").toAbsolutePath().normalize();

    private static final Pattern FENCE = Pattern.compile("( *)```(.*)");
    private static final Pattern COMMENT = Pattern.compile("\\s*<!--\\s*(.*?)\\s*-->\\s*");
    private static final Pattern HEADING = Pattern.compile("#{1,6} +(.*?)(?: +#+)?");
    private static final Pattern INLINE_LINK = Pattern.compile("]\\(<?([^)\\s>]+)>?(?: \"[^\"]*\")?\\)");
    private static final Pattern DEFINED_LINK = Pattern.compile("^ {0,3}\\[[^]]+]: *(\\S+)");
    private static final Pattern HTML_LINK = Pattern.compile("(?:href|src|srcset)=\"([^\"]+)\"");
    private static final Pattern LINK_TEXT = Pattern.compile("!?\\[([^]]*)]\\([^)]*\\)");
    private static final Pattern CODE_SPAN = Pattern.compile("`[^`]*`");

    private final Path path;
    private final List<Block> blocks = new ArrayList<>();
    private final List<Link> links = new ArrayList<>();
    private final Set<String> anchors = new HashSet<>();

    /** A link's target as it is written, and where. */
    record Link(int line, String target) {}

    private MarkdownPage(Path path) {
        this.path = path;
    }

    /** The README and the pages of {@code deploy/docs}. */
    static List<MarkdownPage> all() throws IOException {
        List<MarkdownPage> all = new ArrayList<>(List.of(read(ROOT.resolve("README.md"))));
        all.addAll(in("deploy/docs"));
        return all;
    }

    /** The pages of a directory, without its subdirectories. */
    static List<MarkdownPage> in(String directory) throws IOException {
        List<MarkdownPage> found = new ArrayList<>();
        try (DirectoryStream<Path> pages = Files.newDirectoryStream(ROOT.resolve(directory), "*.md")) {
            for (Path page : pages) {
                found.add(read(page));
            }
        }
        found.sort(Comparator.comparing(MarkdownPage::name));
        return found;
    }

    static MarkdownPage read(Path path) throws IOException {
        return parse(path, Files.readAllLines(path));
    }

    /** @throws IllegalArgumentException if a mark says nothing, or a fence is not closed */
    static MarkdownPage parse(Path path, List<String> lines) {
        MarkdownPage page = new MarkdownPage(path);
        Map<String, Integer> seen = new HashMap<>();
        for (int i = 0; i < lines.size(); i++) {
            Matcher fence = FENCE.matcher(lines.get(i));
            if (fence.matches()) {
                int end = page.closing(lines, i, fence.group(1));
                page.add(lines, i, end, fence);
                i = end;
                continue;
            }
            Matcher heading = HEADING.matcher(lines.get(i));
            if (heading.matches()) {
                String anchor = anchor(heading.group(1));
                int before = seen.merge(anchor, 1, Integer::sum) - 1;
                page.anchors.add(before == 0 ? anchor : anchor + "-" + before);
            }
            page.addLinks(i + 1, lines.get(i));
        }
        return page;
    }

    private int closing(List<String> lines, int opening, String indent) {
        for (int i = opening + 1; i < lines.size(); i++) {
            if (lines.get(i).stripTrailing().equals(indent + "```")) {
                return i;
            }
        }
        throw new IllegalArgumentException("%s:%d: this block is not closed".formatted(name(), opening + 1));
    }

    private void add(List<String> lines, int opening, int closing, Matcher fence) {
        int indent = fence.group(1).length();
        StringBuilder text = new StringBuilder();
        for (String line : lines.subList(opening + 1, closing)) {
            text.append(line.isBlank() ? "" : line.substring(indent)).append('\n');
        }
        Block block = new Block(
                name(), opening + 1, fence.group(2).strip(), text.toString(), mark(lines, opening), Optional.empty());
        int last = blocks.size() - 1;
        if (!block.isRun()
                && last >= 0
                && blocks.get(last).isRun()
                && isDirectlyBelow(lines, blocks.get(last), block)) {
            Block above = blocks.remove(last);
            block = new Block(
                    above.page(), above.line(), above.language(), above.text(), above.mark(), Optional.of(block));
        }
        blocks.add(block);
    }

    private Optional<Mark> mark(List<String> lines, int opening) {
        if (opening == 0) {
            return Optional.empty();
        }
        Matcher comment = COMMENT.matcher(lines.get(opening - 1));
        try {
            return comment.matches() ? Mark.parse(comment.group(1)) : Optional.empty();
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("%s:%d: %s".formatted(name(), opening, e.getMessage()), e);
        }
    }

    /** Whether nothing but empty lines and comments stands between two blocks. */
    private static boolean isDirectlyBelow(List<String> lines, Block above, Block below) {
        int closing = above.line() + (int) above.text().lines().count();
        return lines.subList(closing + 1, below.line() - 1).stream()
                .allMatch(line -> line.isBlank() || COMMENT.matcher(line).matches());
    }

    private void addLinks(int number, String line) {
        String text = CODE_SPAN.matcher(line).replaceAll("");
        for (Pattern pattern : List.of(INLINE_LINK, DEFINED_LINK, HTML_LINK)) {
            Matcher link = pattern.matcher(text);
            while (link.find()) {
                links.add(new Link(number, link.group(1)));
            }
        }
    }

    /** The anchor that GitHub gives a heading. */
    static String anchor(String heading) {
        String text = LINK_TEXT.matcher(heading).replaceAll("$1").toLowerCase(Locale.ROOT);
        return text.replaceAll("[^\\p{L}\\p{N}\\p{M} _-]", "").replace(' ', '-');
    }

    Path path() {
        return path;
    }

    /** Its path from the repository's root. */
    String name() {
        return path.startsWith(ROOT) ? ROOT.relativize(path).toString() : path.toString();
    }

    List<Block> blocks() {
        return blocks;
    }

    List<Link> links() {
        return links;
    }

    Set<String> anchors() {
        return anchors;
    }

    @Override
    public String toString() {
        return name();
    }
}
