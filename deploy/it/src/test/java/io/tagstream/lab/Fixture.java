/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.lab;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/**
 * A cluster as a version of Tagstream left it: everything on its topics and in its registry, and what must become of
 * it. {@link FixtureDump} makes it from a cluster, {@link FixtureLoader} makes a cluster from it.
 *
 * <p>The file has one JSON object per {@link Line} and is compressed with gzip. Bytes are strings of the characters
 * U+0000 to U+00FF, one for each byte, so that ids and addresses can be read with {@code zcat}. Whatever has no record
 * between a partition's start and end was aborted, or marks the end of a transaction: no reader of committed records
 * sees it, but it takes up offsets.
 */
record Fixture(
        Head head,
        List<Schema> schemas,
        List<Topic> topics,
        List<Entry> entries,
        List<Position> positions,
        List<Submission> submissions,
        List<Image> images) {
    /**
     * What the fixture is.
     *
     * @param version the version of Tagstream that wrote it
     * @param partitions how many partitions the topics of images have
     * @param writtenAt milliseconds since the epoch
     * @param withoutFeatures known images that had no features, so that any version must read them again
     * @param unreadLabels labels that nobody had encoded
     */
    record Head(String version, int partitions, long writtenAt, long withoutFeatures, int unreadLabels, Shape shape) {}

    /** A version of a subject in the registry. */
    record Schema(int id, String subject, int version, String schema) {}

    /**
     * A topic.
     *
     * @param id the id that the broker gave it; records may name it
     * @param settings those that differ from the broker's
     */
    record Topic(String name, String id, Map<String, String> settings, List<Partition> partitions) {}

    /** The offset of a partition's first record that is not deleted, and the one that its next record will get. */
    record Partition(long start, long end) {}

    /** A record. */
    record Entry(
            String topic, int partition, long offset, long timestamp, String key, String value, List<Header> headers) {}

    /** A record's header. */
    record Header(String key, String value) {}

    /** How far a consumer group has come. */
    record Position(String group, String topic, int partition, long offset, String metadata) {}

    /** How far a submission had come. */
    enum Stage {
        /** It had its outcome. */
        DONE,
        /** It was in the pending store. */
        OWED,
        /** It was in the re-keying topic, and in no store. */
        REKEYED,
        /** Nobody had read it. */
        UNREAD
    }

    /**
     * A record of {@code images}.
     *
     * @param sequence the number in its header
     * @param outcome TAGS, DELETION, DEAD_LETTER or a reason why images fail
     */
    record Submission(long sequence, String id, String outcome, Stage stage) {}

    /**
     * An image that is known in the end.
     *
     * @param labels the ids of the labels that it then has as tags, in the order of the tags
     */
    record Image(String id, List<String> labels) {}

    /** A line of the file: one of these, the others are null. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    private record Line(
            Head head,
            Schema schema,
            Topic topic,
            Entry entry,
            Position position,
            Submission submission,
            Image image) {}

    private static final ObjectMapper JSON = new ObjectMapper();

    /** The characters that stand for bytes; null for null. */
    static String text(byte[] bytes) {
        return bytes == null ? null : new String(bytes, StandardCharsets.ISO_8859_1);
    }

    /** The bytes that characters stand for; null for null. */
    static byte[] bytes(String text) {
        return text == null ? null : text.getBytes(StandardCharsets.ISO_8859_1);
    }

    static Fixture read(Path file) throws IOException {
        List<Line> lines = new ArrayList<>();
        try (BufferedReader reader = new BufferedReader(
                new InputStreamReader(new GZIPInputStream(Files.newInputStream(file)), StandardCharsets.UTF_8))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                lines.add(JSON.readValue(line, Line.class));
            }
        }
        return new Fixture(
                all(lines, Line::head).get(0),
                all(lines, Line::schema),
                all(lines, Line::topic),
                all(lines, Line::entry),
                all(lines, Line::position),
                all(lines, Line::submission),
                all(lines, Line::image));
    }

    private static <T> List<T> all(List<Line> lines, Function<Line, T> part) {
        return lines.stream().filter(line -> part.apply(line) != null).map(part).toList();
    }

    void write(Path file) throws IOException {
        List<Line> lines = new ArrayList<>();
        lines.add(new Line(head, null, null, null, null, null, null));
        schemas.forEach(schema -> lines.add(new Line(null, schema, null, null, null, null, null)));
        topics.forEach(topic -> lines.add(new Line(null, null, topic, null, null, null, null)));
        entries.forEach(entry -> lines.add(new Line(null, null, null, entry, null, null, null)));
        positions.forEach(position -> lines.add(new Line(null, null, null, null, position, null, null)));
        submissions.forEach(submission -> lines.add(new Line(null, null, null, null, null, submission, null)));
        images.forEach(image -> lines.add(new Line(null, null, null, null, null, null, image)));
        try (BufferedWriter writer = new BufferedWriter(
                new OutputStreamWriter(new GZIPOutputStream(Files.newOutputStream(file)), StandardCharsets.UTF_8))) {
            for (Line line : lines) {
                writer.write(JSON.writeValueAsString(line) + "\n");
            }
        }
    }

    /** The offset of the newest record of a topic with one partition. */
    long newestOffset(String topic) {
        return entries.stream()
                .filter(entry -> entry.topic().equals(topic))
                .mapToLong(Entry::offset)
                .max()
                .orElse(-1);
    }
}
