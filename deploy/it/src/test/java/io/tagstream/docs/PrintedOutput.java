/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.docs;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Compares what a page says a command prints with what it printed.
 *
 * <p>Images are done in any order, and scores differ a little from processor to processor. So the order of lines, and of
 * the tags in one, counts for nothing, and numbers with a decimal point may be off by {@value #TOLERANCE}. Everything
 * else must be there word for word; what standard output has beyond it must not. A line {@code ...} stands for any
 * further lines.
 */
final class PrintedOutput {
    static final double TOLERANCE = 0.03;

    private static final String REST = "...";
    private static final Pattern DECIMAL = Pattern.compile("\\d+\\.\\d+");
    private static final Pattern TAGGED = Pattern.compile("(\\S+  )(.+ \\d+\\.\\d+(?:, .+ \\d+\\.\\d+)*)");
    private static final ObjectMapper JSON = new ObjectMapper();

    private PrintedOutput() {}

    /**
     * What differs, a sentence each.
     *
     * @param said the page's block
     * @param output the lines of standard output
     * @param errors the lines of standard error, where a command tells how it fares: the page shows which it likes
     */
    static List<String> differences(Block said, List<String> output, List<String> errors) {
        if (said.language().equals("json")) {
            return jsonDifferences(said, output);
        }
        List<String> differences = new ArrayList<>();
        List<String> expected = new ArrayList<>(
                said.text().lines().filter(line -> !line.isBlank()).toList());
        boolean more = expected.removeIf(line -> line.strip().equals(REST));
        List<String> printed =
                new ArrayList<>(output.stream().filter(line -> !line.isBlank()).toList());
        for (String line : expected) {
            if (!removeMatching(printed, line) && errors.stream().noneMatch(error -> matches(line, error))) {
                differences.add("not printed: " + line);
            }
        }
        if (!more) {
            printed.forEach(line -> differences.add("printed, but not in the page: " + line));
        }
        return differences;
    }

    private static boolean removeMatching(List<String> printed, String line) {
        for (Iterator<String> candidates = printed.iterator(); candidates.hasNext(); ) {
            if (matches(line, candidates.next())) {
                candidates.remove();
                return true;
            }
        }
        return false;
    }

    static boolean matches(String expected, String printed) {
        Map<String, Double> tags = tags(expected);
        if (tags.isEmpty()) {
            return isNear(expected.strip(), printed.strip());
        }
        Map<String, Double> found = tags(printed);
        return tags.keySet().equals(found.keySet())
                && tags.entrySet().stream().allMatch(tag -> isNear(tag.getValue(), found.get(tag.getKey())));
    }

    /** The scores of a line {@code cat.jpg  cat 1.00, animal 1.00} by image and tag; none of another line. */
    private static Map<String, Double> tags(String line) {
        Map<String, Double> scores = new LinkedHashMap<>();
        Matcher tagged = TAGGED.matcher(line.strip());
        if (tagged.matches()) {
            for (String tag : tagged.group(2).split(", ", -1)) {
                int score = tag.lastIndexOf(' ');
                scores.put(tagged.group(1) + tag.substring(0, score), Double.valueOf(tag.substring(score + 1)));
            }
        }
        return scores;
    }

    private static boolean isNear(String expected, String printed) {
        if (!DECIMAL.matcher(expected)
                .replaceAll("#")
                .equals(DECIMAL.matcher(printed).replaceAll("#"))) {
            return false;
        }
        Matcher one = DECIMAL.matcher(expected);
        Matcher other = DECIMAL.matcher(printed);
        while (one.find() && other.find()) {
            if (!isNear(Double.parseDouble(one.group()), Double.parseDouble(other.group()))) {
                return false;
            }
        }
        return true;
    }

    private static boolean isNear(double expected, double printed) {
        return Math.abs(expected - printed) <= TOLERANCE;
    }

    private static List<String> jsonDifferences(Block said, List<String> output) {
        String printed = String.join("\n", output);
        try {
            JsonNode expected = JSON.readTree(said.text());
            return expected.equals(PrintedOutput::compareNumbers, JSON.readTree(printed))
                    ? List.of()
                    : List.of("not what the page says: " + printed);
        } catch (JsonProcessingException e) {
            return List.of("not JSON: " + printed);
        }
    }

    private static int compareNumbers(JsonNode expected, JsonNode printed) {
        boolean near = expected.isFloatingPointNumber()
                && printed.isNumber()
                && isNear(expected.asDouble(), printed.asDouble());
        return near || expected.equals(printed) ? 0 : 1;
    }
}
