/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/** The contents of a schema registry with Confluent's API. */
final class RegistryContents {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpClient client = HttpClient.newHttpClient();
    private final String url;

    RegistryContents(String url) {
        this.url = url;
    }

    /** Every version of every subject, in the order of ids. */
    List<Fixture.Schema> read() throws IOException, InterruptedException {
        List<Fixture.Schema> schemas = new ArrayList<>();
        for (JsonNode subject : get("/subjects")) {
            String path = "/subjects/" + subject.asText() + "/versions";
            for (JsonNode version : get(path)) {
                JsonNode found = get(path + "/" + version.asInt());
                schemas.add(new Fixture.Schema(
                        found.get("id").asInt(),
                        subject.asText(),
                        version.asInt(),
                        found.get("schema").asText()));
            }
        }
        schemas.sort(Comparator.comparingInt(Fixture.Schema::id).thenComparing(Fixture.Schema::subject));
        return schemas;
    }

    /**
     * Writes schemas to an empty registry.
     *
     * @throws IOException if the registry gives a schema another id, which records would not find
     */
    void write(List<Fixture.Schema> schemas) throws IOException, InterruptedException {
        for (Fixture.Schema schema : schemas) {
            HttpRequest request = HttpRequest.newBuilder(
                            URI.create(url + "/subjects/" + schema.subject() + "/versions"))
                    .header("Content-Type", "application/vnd.schemaregistry.v1+json")
                    .POST(BodyPublishers.ofString(JSON.writeValueAsString(Map.of("schema", schema.schema()))))
                    .build();
            int id = send(request).path("id").asInt();
            if (id != schema.id()) {
                throw new IOException("The registry gives version %d of %s the id %d, but records have the id %d"
                        .formatted(schema.version(), schema.subject(), id, schema.id()));
            }
        }
    }

    private JsonNode get(String path) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(URI.create(url + path)).build());
    }

    private JsonNode send(HttpRequest request) throws IOException, InterruptedException {
        HttpResponse<String> response = client.send(request, BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new IOException("%s answers %d: %s".formatted(request.uri(), response.statusCode(), response.body()));
        }
        return JSON.readTree(response.body());
    }
}
