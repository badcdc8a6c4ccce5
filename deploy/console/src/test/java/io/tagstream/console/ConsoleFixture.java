/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console;

import io.tagstream.avro.Label;
import io.tagstream.cluster.vocabulary.ChangeWatch;
import io.tagstream.console.api.ApiServices;
import io.tagstream.console.api.Status;
import io.tagstream.console.images.ImageIntake;
import io.tagstream.console.images.Thumbnails;
import io.tagstream.console.live.EventHub;
import io.tagstream.console.live.FailureView;
import io.tagstream.console.live.LiveViews;
import io.tagstream.console.live.VocabularyView;
import io.tagstream.console.search.ImageDocument;
import io.tagstream.console.search.SearchIndex;
import io.tagstream.inference.InferenceKeys;
import io.tagstream.operations.Operations;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.query.ImageQueries;
import io.tagstream.topology.records.Contracts;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.commons.codec.digest.DigestUtils;

/** A console on a real server with a real index, but without Kafka or a model. */
public final class ConsoleFixture implements AutoCloseable {
    /** Where the sample photos are, for tests of this module. */
    public static final Path SAMPLES = Path.of("..", "samples").toAbsolutePath().normalize();

    static {
        new Contracts(SchemaRegistries.inMemory()); // lets Avro load the contracts' classes
    }

    private static final Instant NOON = Instant.parse("2026-11-01T12:00:00Z");

    private final HttpClient client = HttpClient.newHttpClient();
    private final Operations operations;
    private final SearchIndex index;
    private final Thumbnails thumbnails;
    private final Optional<ImageIntake> intake;
    private final LiveViews views = new LiveViews();
    private final Map<String, Label> written = new HashMap<>();
    private final Console console;

    /** @param settings in addition to those that a console needs */
    public ConsoleFixture(Path directory, Map<String, Object> settings, Optional<ImageQueries> queries) {
        this(directory, settings, queries, Optional.empty());
    }

    /** @param uploads where the console stores uploaded files, although no broker accepts their references */
    ConsoleFixture(
            Path directory, Map<String, Object> settings, Optional<ImageQueries> queries, Optional<Path> uploads) {
        Map<String, Object> all = new HashMap<>(Map.of(
                TagstreamConfig.BOOTSTRAP_SERVERS,
                "127.0.0.1:1",
                TagstreamConfig.SCHEMA_REGISTRY_URL,
                "http://nowhere:1",
                TagstreamConfig.HTTP_PORT,
                0,
                ConsoleKeys.CONSOLE_WRITABLE,
                true,
                InferenceKeys.FETCH_FILE_ROOTS,
                SAMPLES.toString()));
        all.putAll(settings);
        TagstreamConfig config = new TagstreamConfig(all);
        console = new Console(config);
        operations = new Operations(config, Optional::empty, Optional::empty, Optional.empty(), Optional.of(console));
        index = SearchIndex.open(directory.resolve("index"));
        thumbnails = new Thumbnails(config);
        intake = uploads.map(files -> new ImageIntake(config, new Contracts(SchemaRegistries.inMemory()), files));
        boolean writable = config.getBoolean(ConsoleKeys.CONSOLE_WRITABLE);
        console.api()
                .serve(new ApiServices(
                        Optional.of(index),
                        queries,
                        writable
                                ? Optional.of((changes, patience) -> {
                                    written.putAll(changes);
                                    return Optional.of(new ChangeWatch.Effect(7, 3, List.of()));
                                })
                                : Optional.empty(),
                        intake,
                        Optional.of(thumbnails),
                        views,
                        () -> status(writable, queries.isPresent())));
    }

    private Status status(boolean writable, boolean queries) {
        return new Status(
                new Status.Readiness(true, null, null),
                new Status.Load(12.5, 3, 2, 1, 7.5),
                new Status.Outcomes(index.size(), 1, 0, views.failures().byReason()),
                new Status.Vocabulary(7, views.vocabulary().labels().size()),
                new Status.Model("everyday", "1.0"),
                new Status.Search(index.size(), 0),
                new Status.Features(writable, false, true, true, queries));
    }

    /** The console that the server runs. */
    public Console console() {
        return console;
    }

    public EventHub events() {
        return views.events();
    }

    public FailureView failures() {
        return views.failures();
    }

    public VocabularyView vocabulary() {
        return views.vocabulary();
    }

    /** The changes written to the vocabulary; null stands for a removed label. */
    public Map<String, Label> written() {
        return written;
    }

    /** Where the server listens. */
    public int port() {
        return operations.port().orElseThrow();
    }

    public String url(String path) {
        return "http://127.0.0.1:" + port() + path;
    }

    /** Adds images to the index. */
    public void put(ImageDocument... images) throws IOException {
        for (ImageDocument image : images) {
            index.put(image);
        }
        index.show();
    }

    /** A tagged image of a sample photo. */
    public static ImageDocument sample(String name, Map<String, String> attributes, ImageDocument.TagScore... tags)
            throws IOException {
        return image(name, SAMPLES.resolve(name), attributes, tags);
    }

    /** A tagged image of a file, with any id. */
    public static ImageDocument image(
            String id, Path file, Map<String, String> attributes, ImageDocument.TagScore... tags) throws IOException {
        return new ImageDocument(
                id,
                file.toUri().toString(),
                Files.exists(file) ? DigestUtils.sha256Hex(Files.readAllBytes(file)) : "0".repeat(64),
                640,
                480,
                List.of(tags),
                attributes,
                new ImageDocument.Model("everyday", "1.0"),
                7,
                "NEW_IMAGE",
                NOON);
    }

    /** A request that can be customised further. */
    public HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(url(path)));
    }

    /** A write as the console sends it. */
    public HttpRequest.Builder write(String method, String path, String body) {
        return request(path)
                .header("X-Tagstream", "test")
                .header("Content-Type", "application/json")
                .method(method, HttpRequest.BodyPublishers.ofString(body));
    }

    public HttpResponse<String> send(HttpRequest.Builder request) throws IOException, InterruptedException {
        return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    public HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return send(request(path));
    }

    /** Sends a request as raw bytes, for requests that no client would send. */
    public String raw(String head) throws IOException {
        try (java.net.Socket socket = new java.net.Socket(java.net.InetAddress.getLoopbackAddress(), port())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream()
                    .write((head + "\r\nConnection: close\r\n\r\n")
                            .getBytes(java.nio.charset.StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        }
    }

    @Override
    public void close() throws IOException {
        List<AutoCloseable> parts = new ArrayList<>(List.of(operations, thumbnails, index));
        intake.ifPresent(parts::add);
        console.api().release();
        for (AutoCloseable part : parts) {
            try {
                part.close();
            } catch (Exception e) {
                throw new IOException(e);
            }
        }
    }
}
