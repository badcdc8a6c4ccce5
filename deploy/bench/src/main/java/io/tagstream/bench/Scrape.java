/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import io.tagstream.cluster.OperatorException;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;

/** What an instance served at {@code /metrics} at one moment. */
record Scrape(List<String> lines) {
    static Scrape of(HttpClient client, int port) throws InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/metrics"))
                .build();
        try {
            return new Scrape(client.send(request, HttpResponse.BodyHandlers.ofLines())
                    .body()
                    .toList());
        } catch (IOException e) {
            throw OperatorException.failed("the instance no longer serves its metrics; see its errors above", e);
        }
    }

    /** The sum over the time series of a metric whose labels contain {@code label}; empty if there are none. */
    OptionalDouble sum(String metric, String label) {
        double[] values = lines.stream()
                .filter(line -> line.startsWith(metric + "{") || line.startsWith(metric + " "))
                .filter(line -> line.contains(label))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .toArray();
        return values.length == 0
                ? OptionalDouble.empty()
                : OptionalDouble.of(Arrays.stream(values).sum());
    }
}
