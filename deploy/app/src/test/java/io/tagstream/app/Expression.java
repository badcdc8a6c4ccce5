/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.app;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The names in an expression of Prometheus' query language: enough of its grammar for those of the alerts and dashboards.
 *
 * @param selectors the metrics that are read
 * @param grouping the labels of {@code by}, {@code on} and the like
 */
record Expression(List<Selector> selectors, Set<String> grouping) {
    private static final Pattern TEXT = Pattern.compile("\"(?:[^\"\\\\]|\\\\.)*\"");
    private static final Pattern TIME = Pattern.compile("\\[[^]]*]|\\boffset\\s+\\S+");
    private static final Pattern LABELS =
            Pattern.compile("\\b(?:by|without|on|ignoring|group_left|group_right)\\s*\\(([^)]*)\\)");
    /** A name, with the labels that follow it; not the end of a number such as 1e4. */
    private static final Pattern NAME = Pattern.compile("(?<![\\w.:])([a-zA-Z_:][\\w:]*)\\s*(\\{[^}]*})?(\\s*\\()?");

    private static final Pattern LABEL = Pattern.compile("\\b([a-zA-Z_]\\w*)\\s*(?:=~|!~|!=|=)");
    private static final Set<String> OPERATORS = Set.of("and", "or", "unless", "bool");

    /** @param labels those that its values are chosen by */
    record Selector(String metric, Set<String> labels) {}

    static Expression parse(String text) {
        String rest = TIME.matcher(TEXT.matcher(text).replaceAll("\"\"")).replaceAll(" ");
        Set<String> grouping = new TreeSet<>();
        LABELS.matcher(rest)
                .results()
                .flatMap(labels -> Pattern.compile("\\s*,\\s*")
                        .splitAsStream(labels.group(1).strip()))
                .forEach(grouping::add);
        List<Selector> selectors = new ArrayList<>();
        Matcher names = NAME.matcher(LABELS.matcher(rest).replaceAll(" "));
        while (names.find()) {
            if (names.group(3) == null && !OPERATORS.contains(names.group(1))) {
                selectors.add(new Selector(names.group(1), labels(names.group(2))));
            }
        }
        return new Expression(selectors, grouping);
    }

    private static Set<String> labels(String braces) {
        Set<String> labels = new TreeSet<>();
        if (braces != null) {
            LABEL.matcher(braces).results().forEach(label -> labels.add(label.group(1)));
        }
        return labels;
    }
}
