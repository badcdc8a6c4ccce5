/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Locale;

/**
 * What {@link IndexBenchmark} measured: documents per second in each round.
 *
 * @param server the server that was written to
 * @param documents number of documents per round
 * @param ingester the bulk ingester alone
 * @param feed the index feed
 */
public record IndexResult(String server, int documents, List<Double> ingester, List<Double> feed) {
    /** The feed's speed as a share of the ingester's. */
    public double ratio() {
        return speed(feed) / speed(ingester);
    }

    /** The speed over all rounds: every round has the same number of documents, so this is the harmonic mean. */
    private static double speed(List<Double> rounds) {
        return rounds.size() / rounds.stream().mapToDouble(round -> 1 / round).sum();
    }

    /** One JSON object on one line. */
    public ObjectNode json() {
        ObjectNode json = new ObjectMapper()
                .createObjectNode()
                .put("server", server)
                .put("documents", documents)
                .put("ingesterDocumentsPerSecond", rounded(speed(ingester)))
                .put("feedDocumentsPerSecond", rounded(speed(feed)))
                .put("ratio", rounded(ratio()));
        ingester.forEach(json.putArray("ingesterRounds")::add);
        feed.forEach(json.putArray("feedRounds")::add);
        return json;
    }

    /** Several lines for people. */
    public String text() {
        return String.join(
                System.lineSeparator(),
                String.format(Locale.ROOT, "%s, %,d documents per round", server, documents),
                String.format(Locale.ROOT, "ingester alone  %,7.0f documents/s", speed(ingester)),
                String.format(Locale.ROOT, "index feed      %,7.0f documents/s; ratio %.2f", speed(feed), ratio()));
    }

    static double rounded(double value) {
        return Math.round(value * 1000) / 1000.0;
    }
}
