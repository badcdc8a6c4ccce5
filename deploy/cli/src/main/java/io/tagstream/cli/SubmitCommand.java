/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
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
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
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
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

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
            "  find /srv/photos -name '*.jpg' | tagstream submit - --config tagstream.properties",
            "  tagstream submit photos.csv --config tagstream.properties --wait --fail-on-failure"
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:every image is submitted and, with --wait, has its outcome: its tags, or the reason why it has none",
            "1:the cluster or the registry cannot be used, lines of a list name no image, outcomes did not arrive in"
                    + " time, or, with --fail-on-failure, an image could not be tagged",
            "2:wrong usage or configuration; nothing was submitted"
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

    /** Takes the next argument if the seconds are left out, so it says how to avoid that. */
    static final class Seconds implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String text) {
            if (!text.matches("-?[0-9]{1,9}")) {
                throw new TypeConversionException(
                        "'%s' is not a number of seconds; put --wait after the images".formatted(text));
            }
            return Integer.valueOf(text);
        }
    }

    @Parameters(
            arity = "1..*",
            paramLabel = "URI|PATH|LIST|-",
            completionCandidates = Schemes.class,
            description = {
                "URIs (${COMPLETION-CANDIDATES}), or paths of images, which must have the same path on the machine"
                        + " that tags. A text file is a list of images, one on each line; -: a list on standard input.",
                "The lines of a list are URIs or paths; or comma-separated values below a header with the column uri,"
                        + " and optionally id, sha256 and contentType, where any other column is an attribute; or JSON"
                        + " objects with uri, and optionally id, sha256, contentType and attributes. Blank lines and"
                        + " lines that begin with # are skipped. Lines that name no image are reported, and the others"
                        + " are submitted."
            })
    private List<String> given;

    @Option(names = "--id", paramLabel = "ID", description = "The image's id, for a single image. Default: its URI.")
    private String id;

    @Option(
            names = "--attribute",
            paramLabel = "NAME=VALUE",
            description =
                    "A fact about the images, which is copied to their tags. Can be given more than once. A list's own"
                            + " attributes override it.")
    private Map<String, String> attributes = Map.of();

    @Option(
            names = "--wait",
            arity = "0..1",
            paramLabel = "SECONDS",
            fallbackValue = "60",
            converter = Seconds.class,
            description = "Wait at most this long until every image has its outcome, and print the outcomes as tail"
                    + " does. Default: 60 seconds.")
    private Integer wait;

    @Option(
            names = "--fail-on-failure",
            description = "With --wait: end with exit code 1 if an image could not be tagged.")
    private boolean failOnFailure;

    @Option(
            names = "--json",
            description = "Write one JSON object per image: its outcome with --wait, otherwise imageId, uri, and origin"
                    + " (topic, partition, offset).")
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
        if (wait == null && failOnFailure) {
            throw OperatorException.invalid("--fail-on-failure: needs --wait, since only the outcomes show failures");
        }
        ImageList list = read();
        Map<String, ImageReference> images = references(list);
        TagstreamConfig config = cluster.config();
        try (SchemaRegistry registry = SchemaRegistries.connect(config.registrySettings())) {
            Contracts contracts = new Contracts(registry);
            int failures = 0;
            if (wait == null) {
                report(images, submit(images, List.of(), config, contracts));
            } else {
                try (OutcomeReader reader = new OutcomeReader(config, contracts)) {
                    reader.readFromNow();
                    submit(images, List.of(reader.followSubmission()), config, contracts);
                    failures = awaitOutcomes(images.keySet(), reader);
                }
            }
            return exitCode(list, images.size(), failures);
        } catch (KafkaException e) {
            throw ClusterTrouble.of(config, e);
        }
    }

    private int exitCode(ImageList list, int submitted, int failures) {
        boolean complete = true;
        if (list.wrongLines() > 0) {
            complete = false;
            Terminal.note("%d submitted; %d %s no image, see above"
                    .formatted(submitted, list.wrongLines(), list.wrongLines() == 1 ? "line names" : "lines name"));
        }
        if (failOnFailure && failures > 0) {
            complete = false;
            Terminal.note("%d of %d images could not be tagged".formatted(failures, submitted));
        }
        return complete ? ExitCode.DONE : ExitCode.FAILED;
    }

    /** Reads what is given, and reports the lines of lists that name no image. */
    private ImageList read() {
        ImageList images = new ImageList(Terminal::note);
        for (String argument : given) {
            if (argument.equals(STANDARD_INPUT)) {
                try {
                    images.addLines(System.in, "standard input");
                } catch (UncheckedIOException e) {
                    throw OperatorException.failed(
                            "standard input cannot be read: " + e.getCause().getMessage(), e);
                }
            } else {
                images.add(argument);
            }
        }
        return images;
    }

    /** Returns the references by their images' ids. */
    private Map<String, ImageReference> references(ImageList list) {
        Map<String, ImageReference> images = list.images();
        if (id == null) {
            return images;
        }
        if (images.size() != 1) {
            throw OperatorException.invalid(
                    "--id %s: an id is for one image, but %d are given; a list can have a column id"
                            .formatted(id, images.size()));
        }
        return Map.of(id, images.values().iterator().next());
    }

    /** Writes the references, and returns where each one is, in their order. */
    private List<RecordMetadata> submit(
            Map<String, ImageReference> images, List<Header> headers, TagstreamConfig config, Contracts contracts) {
        String topic = config.topic(TagstreamConfig.IMAGES_TOPIC);
        Map<String, Object> settings = config.kafkaSettings();
        settings.put(ProducerConfig.ACKS_CONFIG, "all");
        settings.put(ProducerConfig.LINGER_MS_CONFIG, 5);
        try (Producer<String, ImageReference> producer = new KafkaProducer<>(
                settings, new StringSerializer(), contracts.imageReference().serializer())) {
            List<Future<RecordMetadata>> written = new ArrayList<>();
            images.forEach((imageId, reference) -> written.add(
                    producer.send(new ProducerRecord<>(topic, null, imageId, complete(reference), headers))));
            producer.flush();
            List<RecordMetadata> places = new ArrayList<>();
            for (Future<RecordMetadata> record : written) {
                places.add(record.get());
            }
            return places;
        } catch (ExecutionException e) {
            throw new KafkaException("Images cannot be written to topic " + topic, e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new KafkaException("Interrupted while submitting", e);
        }
    }

    /** Adds what this command knows about all images. */
    private ImageReference complete(ImageReference reference) {
        Map<String, String> all = new LinkedHashMap<>(attributes);
        all.putAll(reference.getAttributes());
        return ImageReference.newBuilder(reference)
                .setAttributes(all)
                .setSubmittedAt(Instant.now().truncatedTo(ChronoUnit.MILLIS))
                .build();
    }

    private void report(Map<String, ImageReference> images, List<RecordMetadata> places) {
        PrintStream output = Terminal.utf8Output();
        if (json) {
            Iterator<RecordMetadata> place = places.iterator();
            images.forEach((imageId, reference) -> output.println(object(imageId, reference, place.next())));
        } else {
            output.printf("%d %s submitted.%n", images.size(), images.size() == 1 ? "image" : "images");
        }
        output.flush();
    }

    private static ObjectNode object(String imageId, ImageReference reference, RecordMetadata place) {
        ObjectNode line =
                JsonNodeFactory.instance.objectNode().put("imageId", imageId).put("uri", reference.getUri());
        line.putObject("origin")
                .put("topic", place.topic())
                .put("partition", place.partition())
                .put("offset", place.offset());
        return line;
    }

    /** Prints the outcomes, and returns how many of them are failures. */
    private int awaitOutcomes(Set<String> images, OutcomeReader reader) {
        Set<String> owed = new LinkedHashSet<>(images);
        OutcomeFormat format = json ? OutcomeFormat.JSON : OutcomeFormat.TEXT;
        PrintStream output = Terminal.utf8Output();
        int failures = 0;
        long deadline = System.nanoTime() + Duration.ofSeconds(wait).toNanos();
        while (!owed.isEmpty() && System.nanoTime() < deadline) {
            for (ImageOutcome outcome : reader.poll(TURN, Terminal::note)) {
                if (owed.remove(outcome.imageId())) {
                    failures += outcome instanceof ImageOutcome.Failed ? 1 : 0;
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
                                    owed.iterator().next()));
        }
        return failures;
    }
}
