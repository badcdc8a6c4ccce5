/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tagstream.cli.Terminal;
import io.tagstream.cluster.OperatorException;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;
import picocli.CommandLine.Option;

/** What all benchmarks have in common: how they write results, and which arguments they reject. */
final class BenchOptions {
    private static final int MOST_LABELS = 100_000;

    @Option(names = "--json", description = "Write JSON: an object, or an array if several are compared.")
    private boolean json;

    void print(String text, ObjectNode asJson) {
        write(json ? asJson.toString() : text);
    }

    <R> void print(List<R> results, Function<R, String> text, Function<R, ObjectNode> asJson) {
        ArrayNode array = new ObjectMapper().createArrayNode();
        results.forEach(result -> array.add(asJson.apply(result)));
        write(json ? array.toString() : results.stream().map(text).collect(Collectors.joining(System.lineSeparator())));
    }

    private static void write(String output) {
        Terminal.utf8Output().append(output).append(System.lineSeparator()).flush();
    }

    /** Rejects a value less than 1. */
    static void atLeastOne(String option, int value) {
        if (value < 1) {
            throw OperatorException.invalid("%s %d: must be at least 1".formatted(option, value));
        }
    }

    /** Rejects a vocabulary with no labels or with too many. */
    static void vocabularySize(int labels) {
        if (labels < 1 || labels > MOST_LABELS) {
            throw OperatorException.invalid("--labels %d: must be from 1 to %d".formatted(labels, MOST_LABELS));
        }
    }
}
