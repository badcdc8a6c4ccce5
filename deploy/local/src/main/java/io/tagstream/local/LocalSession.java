/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.local;

import io.tagstream.avro.Label;
import io.tagstream.avro.Model;
import io.tagstream.avro.TagEvent;
import io.tagstream.cli.StopSignal;
import io.tagstream.cluster.OperatorException;
import io.tagstream.cluster.outcomes.ImageOutcome;
import io.tagstream.cluster.outcomes.OutcomeReader;
import io.tagstream.cluster.settings.Settings;
import io.tagstream.cluster.vocabulary.BundleVocabulary;
import io.tagstream.cluster.vocabulary.VocabularyCsv;
import io.tagstream.cluster.vocabulary.VocabularyTopic;
import io.tagstream.console.ConsoleKeys;
import io.tagstream.inference.InferenceKeys;
import io.tagstream.local.folders.FolderWatch;
import io.tagstream.local.folders.ImageSelection;
import io.tagstream.local.folders.NamedImage;
import io.tagstream.model.ModelDescription;
import io.tagstream.model.image.ImageSources;
import io.tagstream.topology.Tagstream;
import io.tagstream.topology.config.TagstreamConfig;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One run of local mode: submits images, follows their outcomes and then, unless asked to end, follows changes in the
 * folders.
 *
 * <p><i>Threading notes:</i> everything happens on the caller's thread, in one loop.
 */
public final class LocalSession {
    private static final Logger log = LoggerFactory.getLogger(LocalSession.class);

    /** How many images are submitted between two polls for outcomes. */
    private static final int SUBMISSIONS_A_TURN = 32;

    private static final Duration TURN = Duration.ofMillis(100);
    private static final int CONSOLE_PORT = 8080;

    private final LocalOptions options;
    private final Output output;
    private final StopSignal stop;
    private final ImageSelection selection;

    private final Deque<NamedImage> unsubmitted = new ArrayDeque<>();
    private final Map<String, Awaited> awaited = new HashMap<>();
    private long tagged;
    private long failed;

    /** What a submission must lead to. */
    private enum Awaited {
        OUTCOME,
        DELETION
    }

    private LocalSession(LocalOptions options, Output output, StopSignal stop) {
        this.options = options;
        this.output = output;
        this.stop = stop;
        this.selection = ImageSelection.of(options.images());
    }

    /**
     * Runs until every image has its outcome, or until asked to stop.
     *
     * @throws OperatorException if it cannot run
     */
    public static void run(LocalOptions options, Output output, StopSignal stop) {
        new LocalSession(options, output, stop).run();
    }

    private void run() {
        List<NamedImage> images = selection.scan();
        if (images.isEmpty() && options.once()) {
            throw OperatorException.invalid(nothingToTag());
        }
        selection.skippedPictures().ifPresent(pictures -> output.note("left out, in unsupported formats: " + pictures));
        Optional<Map<String, Label>> vocabulary = options.tagging().vocabulary().map(VocabularyCsv::read);

        try (DataDirectory data = DataDirectory.open(options.dataDirectory());
                LocalNode node =
                        LocalNode.start(settings(data), data, options.ports().kafka());
                OutcomeReader reader = new OutcomeReader(node.config(), node.contracts())) {
            VocabularyTopic.Contents labels = publish(vocabulary, node);
            reader.readCurrentTags();
            if (stop.isRequested()) {
                return;
            }
            output.status("Loading the model and encoding %d labels"
                    .formatted(labels.labels().size()));
            Tagstream tagstream = node.startTagstream();
            node.consoleUrl().ifPresent(url -> output.note("The console is on " + url));
            tellOfAnotherModel(reader.current().values(), node.runtime().description());
            try (Submitter submitter = new Submitter(node)) {
                follow(images, node, tagstream, reader, submitter);
            }
        }
    }

    private String nothingToTag() {
        return "no images in %s: %s; give images, or a folder that contains some (%s)"
                .formatted(
                        String.join(", ", options.images()),
                        selection.skipped() == 0
                                ? "no files there"
                                : selection.skippedNames() + " there, none with an image extension",
                        String.join(", ", ImageSelection.EXTENSIONS));
    }

    private Settings settings(DataDirectory data) {
        Set<String> own = new HashSet<>(LocalNode.OWN_SETTINGS);
        own.add(InferenceKeys.FETCH_FILE_ROOTS);
        options.settings().keySet().stream().filter(own::contains).findFirst().ifPresent(key -> {
            throw OperatorException.invalid(
                    "--set %s: local mode sets this key itself; use tagstream run to set it".formatted(key));
        });
        Settings settings = new Settings().environment(System.getenv()).flags(options.settings());
        List<Path> roots = new ArrayList<>(selection.roots());
        if (!options.once()) {
            roots.add(data.uploads());
            settings.withDefault(ConsoleKeys.CONSOLE_ENABLED, true)
                    .withDefault(ConsoleKeys.CONSOLE_WRITABLE, true)
                    .withDefault(ConsoleKeys.SEARCH_ENABLED, true);
            settings.withDefault(
                    TagstreamConfig.HTTP_PORT, options.ports().http().orElseGet(LocalSession::consolePort));
        }
        settings.with(
                InferenceKeys.FETCH_FILE_ROOTS,
                roots.stream().map(Path::toString).toList());
        if (selection.urls().stream().anyMatch(LocalSession::namesThisMachine)) {
            settings.withDefault(InferenceKeys.FETCH_ALLOW_PRIVATE, true);
        }
        options.tagging().topK().ifPresent(topK -> settings.with(TagstreamConfig.TAGS_TOP_K, topK));
        options.tagging().minScore().ifPresent(score -> settings.with(TagstreamConfig.TAGS_MIN_SCORE, score));
        return settings;
    }

    /** The port that users expect, or a free one if something else uses it. */
    private static int consolePort() {
        try (ServerSocket probe = new ServerSocket(CONSOLE_PORT, 1, InetAddress.getLoopbackAddress())) {
            return probe.getLocalPort();
        } catch (IOException e) {
            log.debug("Port {} is taken", CONSOLE_PORT, e);
            return 0;
        }
    }

    /** A user who gives such a URL wants it read; by default, nothing is fetched from this machine. */
    private static boolean namesThisMachine(URI url) {
        return url.getHost().matches("(?i)localhost|127(\\.\\d{1,3}){3}|\\[::1]");
    }

    /** A given vocabulary replaces the topic's; the bundle's own only fills a topic that has never had a vocabulary. */
    private static VocabularyTopic.Contents publish(Optional<Map<String, Label>> given, LocalNode node) {
        VocabularyTopic topic = new VocabularyTopic(node.config(), node.contracts());
        if (given.isPresent()) {
            return topic.replace(given.get());
        }
        VocabularyTopic.Contents present = topic.read();
        return present.lastOffset() >= 0 ? present : topic.replace(bundled(node));
    }

    private static Map<String, Label> bundled(LocalNode node) {
        try {
            return BundleVocabulary.read(node.config().getString(TagstreamConfig.MODEL_BUNDLE));
        } catch (OperatorException e) {
            node.runtime(); // also fails if the whole bundle is wrong, with a better message
            throw e;
        }
    }

    /**
     * Tells the user about images that another model tagged. The labels are the user's, so another bundle does not
     * replace those of an earlier run.
     */
    private void tellOfAnotherModel(Collection<TagEvent> current, ModelDescription model) {
        List<Model> others = current.stream()
                .map(TagEvent::getModel)
                .filter(other ->
                        !other.getId().equals(model.id()) || !other.getVersion().equals(model.version()))
                .toList();
        if (others.isEmpty()) {
            return;
        }
        Model one = others.get(0);
        output.note(
                "%d %s tagged by %s %s and will be read again with %s %s; the labels and their thresholds stay the same; use --vocabulary FILE.csv to replace them"
                        .formatted(
                                others.size(),
                                others.size() == 1 ? "image was" : "images were",
                                one.getId(),
                                one.getVersion(),
                                model.id(),
                                model.version()));
    }

    private void follow(
            Collection<NamedImage> images,
            LocalNode node,
            Tagstream tagstream,
            OutcomeReader reader,
            Submitter submitter) {
        unsubmitted.addAll(images);
        deleteVanished(images, reader.current(), submitter);
        output.startProgress("Tagging", images.size());
        try (Watch watch = new Watch(images)) {
            boolean started = false;
            // which tags are current shows once the vocabulary is in force
            boolean judging = reader.current().isEmpty();
            while (!stop.isRequested()) {
                if (tagstream.failure().isDone()) {
                    throw OperatorException.failed(
                            "tagging stopped: " + tagstream.failure().join() + "; run again with --verbose to see why");
                }
                judging = judging || tagstream.ready();
                if (judging) {
                    submitSome(reader.current(), submitter, tagstream.vocabularyEpoch());
                }
                reader.poll(unsubmitted.isEmpty() || !judging ? TURN : Duration.ZERO, output::note)
                        .forEach(outcome -> take(outcome, submitter));
                if (!started && unsubmitted.isEmpty() && awaited.isEmpty()) {
                    output.endProgress();
                    output.note("%d %s tagged, %d failed".formatted(tagged, tagged == 1 ? "image" : "images", failed));
                    if (options.once()) {
                        return;
                    }
                    output.note(running(node));
                    started = true;
                }
                watch.changes().forEach(change -> {
                    if (change.deleted()) {
                        submitter.delete(change.image().id());
                    } else {
                        unsubmitted.add(change.image());
                    }
                });
            }
        }
    }

    /** Deletes the tags of images that an earlier run tagged in the given folders and that are no longer there. */
    private void deleteVanished(Collection<NamedImage> images, Map<String, TagEvent> current, Submitter submitter) {
        Set<String> present = new HashSet<>();
        images.forEach(image -> present.add(image.id()));
        current.forEach((id, event) -> {
            if (!present.contains(id)
                    && ImageSources.file(event.getUri())
                            .filter(selection::covers)
                            .isPresent()) {
                log.info("{} no longer exists; deleting its tags", event.getUri());
                submitter.delete(id);
                awaited.put(id, Awaited.DELETION);
            }
        });
    }

    private void submitSome(Map<String, TagEvent> current, Submitter submitter, long vocabularyEpoch) {
        for (int turn = 0; turn < SUBMISSIONS_A_TURN && !unsubmitted.isEmpty(); turn++) {
            NamedImage image = unsubmitted.remove();
            TagEvent event = current.get(image.id());
            if (event == null || !submitter.isCurrent(image, event, vocabularyEpoch)) {
                submitter.submit(image);
                awaited.put(image.id(), Awaited.OUTCOME);
            } else if (!awaited.containsKey(image.id())) {
                finish(new ImageOutcome.Tagged(image.id(), event));
            }
        }
    }

    private void take(ImageOutcome outcome, Submitter submitter) {
        String id = outcome.imageId();
        Awaited expected = awaited.get(id);
        boolean deletion = outcome instanceof ImageOutcome.Deleted;
        if (expected == Awaited.OUTCOME && !deletion && !submitter.isOfThisRun(outcome)) {
            return; // an earlier run's unfinished work
        }
        boolean expectedNow = expected != null && (expected == Awaited.DELETION) == deletion;
        if (expectedNow) {
            awaited.remove(id);
        }
        if (options.once() && !expectedNow) {
            return; // only one line per image
        }
        finish(outcome);
    }

    private void finish(ImageOutcome outcome) {
        if (outcome instanceof ImageOutcome.Tagged) {
            tagged++;
        } else if (outcome instanceof ImageOutcome.Failed) {
            failed++;
        }
        output.outcome(outcome);
        output.step();
    }

    private String running(LocalNode node) {
        String watching = selection.folders().isEmpty()
                ? "Running"
                : "Watching "
                        + String.join(
                                ", ",
                                selection.folders().stream().map(Path::toString).toList());
        return "%s; Kafka is on %s, the schema registry on %s%s; press Ctrl-C to stop"
                .formatted(
                        watching,
                        node.bootstrapServers(),
                        node.registryUrl(),
                        node.consoleUrl().map(url -> ", the console on " + url).orElse(""));
    }

    /** Reports changes in the folders, if wanted and if there are folders. */
    private final class Watch implements AutoCloseable {
        private final Optional<FolderWatch> folders;

        Watch(Collection<NamedImage> present) {
            folders = options.once() || selection.folders().isEmpty()
                    ? Optional.empty()
                    : Optional.of(new FolderWatch(selection, present));
        }

        List<FolderWatch.Change> changes() {
            return folders.map(FolderWatch::poll).orElse(List.of());
        }

        @Override
        public void close() {
            folders.ifPresent(FolderWatch::close);
        }
    }
}
