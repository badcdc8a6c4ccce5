/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import io.tagstream.avro.ImageReference;
import io.tagstream.cluster.OperatorException;
import io.tagstream.cluster.outcomes.ImageOutcome;
import io.tagstream.cluster.outcomes.OutcomeReader;
import io.tagstream.cluster.topics.ClusterTrouble;
import io.tagstream.model.image.ImageSources;
import io.tagstream.schemas.registry.SchemaRegistries;
import io.tagstream.schemas.registry.SchemaRegistry;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.records.Contracts;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.StringSerializer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tagstream submit}. */
@Command(
        name = "submit",
        description = {
            "Submits images to a cluster by their URIs. An image's id is its URI unless --id is given; submitting an id"
                    + " again replaces the image.%n"
        },
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  tagstream submit https://example.org/heron.jpg --config tagstream.properties --wait",
            "  tagstream submit file:///srv/photos/7.jpg --id photo-7 --attribute album=birds --config tagstream.properties",
            "  find /srv/photos -name '*.jpg' | tagstream submit - --config tagstream.properties"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:every image is submitted and, with --wait, has its outcome: its tags, or the reason why it has none",
            "1:the cluster or the registry cannot be used, or outcomes did not arrive in time",
            "2:wrong usage or configuration"
        })
public final class SubmitCommand implements Callable<Integer>, Subcommand {
    private static final String STANDARD_INPUT = "-";
    private static final Duration TURN = Duration.ofMillis(200);

    /** How a URI can begin. */
    static final class Schemes implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return ImageSources.schemes().stream().map(scheme -> scheme + ":").iterator();
        }
    }

    @Parameters(
            arity = "1..*",
            paramLabel = "URI|-",
            completionCandidates = Schemes.class,
            description =
                    "URIs (${COMPLETION-CANDIDATES}), or paths of files, which must have the same path on the machine"
                            + " that tags. -: read them from standard input, one per line.")
    private List<String> given;

    @Option(names = "--id", paramLabel = "ID", description = "The image's id, for a single image. Default: its URI.")
    private String id;

    @Option(
            names = "--attribute",
            paramLabel = "NAME=VALUE",
            description = "A fact about the images, which is copied to their tags. Can be given more than once.")
    private Map<String, String> attributes = Map.of();

    @Option(
            names = "--wait",
            arity = "0..1",
            paramLabel = "SECONDS",
            fallbackValue = "60",
            description = "Wait at most this long until every image has its outcome, and print the outcomes as tail"
                    + " does. Default: 60 seconds.")
    private Integer wait;

    @Option(names = "--json", description = "With --wait: write one JSON object per line.")
    private boolean json;

    @Mixin
    private ClusterOptions cluster;

    @Mixin
    private LoggingOptions logging;

    @Override
    public Integer call() {
        logging.apply();
        if (wait != null && wait < 1) {
            throw OperatorException.invalid("--wait %d: must be at least 1 second".formatted(wait));
        }
        Map<String, String> images = images();
        TagstreamConfig config = cluster.config();
        try (SchemaRegistry registry = SchemaRegistries.connect(config.registrySettings())) {
            Contracts contracts = new Contracts(registry);
            if (wait == null) {
                submit(images, List.of(), config, contracts);
                System.out.printf("%d %s submitted.%n", images.size(), images.size() == 1 ? "image" : "images");
                return ExitCode.DONE;
            }
            try (OutcomeReader reader = new OutcomeReader(config, contracts)) {
                reader.readFromNow();
                submit(images, List.of(reader.followSubmission()), config, contracts);
                awaitOutcomes(images, reader);
                return ExitCode.DONE;
            }
        } catch (KafkaException e) {
            throw ClusterTrouble.of(config, e);
        }
    }

    /** Returns the URIs by their images' ids. */
    private Map<String, String> images() {
        List<String> all = new ArrayList<>();
        for (String argument : given) {
            if (argument.equals(STANDARD_INPUT)) {
                all.addAll(standardInput());
            } else {
                all.add(argument);
            }
        }
        if (id != null && all.size() != 1) {
            throw OperatorException.invalid(
                    "--id %s: an id is for one image, but %d are given".formatted(id, all.size()));
        }
        Map<String, String> images = new LinkedHashMap<>();
        for (String argument : all) {
            String uri = uri(argument);
            images.put(id == null ? uri : id, uri);
        }
        return images;
    }

    private static List<String> standardInput() {
        try {
            return new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))
                    .lines()
                    .map(String::strip)
                    .filter(line -> !line.isEmpty())
                    .toList();
        } catch (java.io.UncheckedIOException e) {
            IOException cause = e.getCause();
            throw OperatorException.failed("standard input cannot be read: " + cause.getMessage(), cause);
        }
    }

    private static String uri(String argument) {
        if (argument.matches("(?i)[a-z][a-z0-9+.-]+:.*")) {
            return argument;
        }
        try {
            Path path = Path.of(argument);
            if (Files.isRegularFile(path)) {
                return path.toAbsolutePath().normalize().toUri().toString();
            }
        } catch (InvalidPathException e) {
            throw OperatorException.invalid("%s is neither a URI nor a path: %s".formatted(argument, e.getReason()), e);
        }
        throw OperatorException.invalid("%s is neither a URI nor an existing file".formatted(argument));
    }

    private void submit(Map<String, String> images, List<Header> headers, TagstreamConfig config, Contracts contracts) {
        String topic = config.topic(TagstreamConfig.IMAGES_TOPIC);
        Map<String, Object> settings = config.kafkaSettings();
        settings.put(ProducerConfig.ACKS_CONFIG, "all");
        settings.put(ProducerConfig.LINGER_MS_CONFIG, 5);
        try (Producer<String, ImageReference> producer = new KafkaProducer<>(
                settings, new StringSerializer(), contracts.imageReference().serializer())) {
            List<Future<RecordMetadata>> written = new ArrayList<>();
            images.forEach((imageId, uri) -> written.add(producer.send(new ProducerRecord<>(
                    topic,
                    null,
                    imageId,
                    ImageReference.newBuilder()
                            .setUri(uri)
                            .setAttributes(attributes)
                            .setSubmittedAt(Instant.now().truncatedTo(ChronoUnit.MILLIS))
                            .build(),
                    headers))));
            producer.flush();
            for (Future<RecordMetadata> record : written) {
                record.get();
            }
        } catch (ExecutionException e) {
            throw new KafkaException("Images cannot be written to topic " + topic, e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new KafkaException("Interrupted while submitting", e);
        }
    }

    private void awaitOutcomes(Map<String, String> images, OutcomeReader reader) {
        Map<String, String> owed = new LinkedHashMap<>(images);
        OutcomeFormat format = json ? OutcomeFormat.JSON : OutcomeFormat.TEXT;
        PrintStream output = Terminal.utf8Output();
        long deadline = System.nanoTime() + Duration.ofSeconds(wait).toNanos();
        while (!owed.isEmpty() && System.nanoTime() < deadline) {
            for (ImageOutcome outcome : reader.poll(TURN, Terminal::note)) {
                if (owed.remove(outcome.imageId()) != null) {
                    output.println(format.line(outcome));
                    output.flush();
                }
            }
        }
        if (!owed.isEmpty()) {
            throw OperatorException.failed(
                    "%d of %d images have no outcome after %d s, such as %s: is Tagstream running?"
                            .formatted(
                                    owed.size(),
                                    images.size(),
                                    wait,
                                    owed.keySet().iterator().next()));
        }
    }
}
