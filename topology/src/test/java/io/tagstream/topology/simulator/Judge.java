/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.simulator;

import io.tagstream.avro.Label;
import io.tagstream.avro.LabelState;
import io.tagstream.avro.MarkerRules;
import io.tagstream.avro.Tag;
import io.tagstream.avro.TagChange;
import io.tagstream.avro.TagEvent;
import io.tagstream.avro.TagPolicy;
import io.tagstream.avro.state.ImageMeta;
import io.tagstream.avro.state.KeptFeatures;
import io.tagstream.model.ImageRequest;
import io.tagstream.model.ImageScores;
import io.tagstream.model.LabelSelection;
import io.tagstream.model.LabelVectors;
import io.tagstream.schemas.StateSerde;
import io.tagstream.topology.FakeModelRuntime;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.simulator.SimulatedBroker.Written;
import io.tagstream.topology.simulator.SimulatedCluster.Requirement;
import io.tagstream.topology.simulator.Simulation.Submission;
import io.tagstream.topology.tagging.SimulatedTagging;
import io.tagstream.topology.tagging.SweepStatus;
import io.tagstream.topology.tagging.TaggingTopology;
import io.tagstream.topology.vocabulary.VocabularyLabel;
import io.tagstream.topology.vocabulary.VocabularySnapshot;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.processor.TaskId;

/** Holds what a history led to against the promises. */
final class Judge {
    /** What the images topic's records say about an image in the end. */
    private static final String DELETED = "";

    private static final StateSerde<ImageMeta> METAS = new StateSerde<>(ImageMeta.class);
    private static final StateSerde<KeptFeatures> FEATURES = new StateSerde<>(KeptFeatures.class);

    private final SimulatedCluster cluster;
    private final List<Submission> submissions;
    private final Map<Integer, Integer> metasLostAt;
    private final Map<String, Label> labels;
    private final int model;

    /** URIs of the last submissions that succeeded, by image id, or {@link #DELETED}. */
    private final Map<String, String> effective = new TreeMap<>();

    /** Tags as the latest tag event says, by image id. */
    private final Map<String, List<Tag>> followed = new HashMap<>();

    /** Tags as the sum of all changes says, by image id. */
    private final Map<String, List<Tag>> told = new HashMap<>();

    private int swept;

    /**
     * A judge of a cluster at rest.
     *
     * @param metasLostAt where the known images of a partition were lost last, in the order of what was written
     * @param labels the labels that ought to be in force
     * @param model the newest release of the model, which every instance has
     */
    Judge(
            SimulatedCluster cluster,
            List<Submission> submissions,
            Map<Integer, Integer> metasLostAt,
            Map<String, Label> labels,
            int model) {
        this.cluster = cluster;
        this.submissions = submissions;
        this.metasLostAt = metasLostAt;
        this.labels = labels;
        this.model = model;
    }

    /** @throws Violation if a promise was broken */
    void judge() {
        outcomesAreOneEachAndInOrder();
        epochsNeverGoBack();
        vocabularyIsTheTopics();
        follow();
        tagsAreThoseOfTaggingAnew();
        featuresBelongToTheirImages();
    }

    private void outcomesAreOneEachAndInOrder() {
        int[] outcomes = new int[submissions.size()];
        Map<String, Integer> last = new HashMap<>();
        for (Written record : cluster.broker().written()) {
            Optional<Integer> number = number(record);
            if (number.isEmpty() || record.topic().equals(TagstreamConfig.TAG_CHANGES_TOPIC)) {
                continue;
            }
            outcomes[number.get()]++;
            Submission submission = submissions.get(number.get());
            require(
                    submission.readable() != record.topic().equals(TagstreamConfig.DEAD_LETTERS_TOPIC),
                    "only what cannot be read becomes a dead letter",
                    () -> "submission %d, %s: %s".formatted(number.get(), submission, record.topic()));
            if (!submission.readable()) {
                continue; // admission reads it out of the order of the image's other records
            }
            Integer before = last.put(submission.id(), number.get());
            require(
                    before == null || before <= number.get(),
                    "outcomes of an image come in the order of its submissions",
                    () -> "%d, then %d of %s".formatted(before, number.get(), submission.id()));
        }
        for (int number = 0; number < outcomes.length; number++) {
            int which = number;
            require(
                    outcomes[number] == 1,
                    "every submission has exactly one outcome",
                    () -> "submission %d, %s, has %d".formatted(which, submissions.get(which), outcomes[which]));
        }
    }

    private void epochsNeverGoBack() {
        Map<String, Long> epochs = new HashMap<>();
        Map<String, Long> revisions = new HashMap<>();
        Markers markers = cluster.markers();
        for (Written record : cluster.broker().written()) {
            if (!record.topic().equals(TagstreamConfig.TAGS_TOPIC) || record.value() == null) {
                continue;
            }
            TagEvent event = event(record);
            String task = record.writer().task();
            long epoch = event.getVocabularyEpoch();
            Long earlier = epochs.put(task, epoch);
            require(
                    earlier == null || earlier <= epoch,
                    "epochs never go back",
                    () -> "task %s used epoch %d after %d".formatted(task, epoch, earlier));
            int generation = generation(event);
            MarkerRules rules = markers.rules(cluster.model(generation).textFingerprint(), epoch)
                    .orElseThrow(() -> new Violation(
                            "images are tagged under a marker",
                            "task %s used release %d at epoch %d".formatted(task, generation, epoch)));
            require(
                    rules.getBundle().getGeneration() == generation,
                    "images are tagged by the bundle in force",
                    () -> "task %s used release %d at epoch %d under %s".formatted(task, generation, epoch, rules));
            Long older = revisions.put(task, rules.getRevision());
            require(
                    older == null || older <= rules.getRevision(),
                    "the control record never goes back",
                    () -> "task %s used revision %d after %d".formatted(task, rules.getRevision(), older));
            Requirement requirement = cluster.requirement(record.writer().life());
            boolean covered = requirement.labelOffset() < 0
                    || markers.cover(cluster.model(generation).textFingerprint(), requirement, epoch);
            require(
                    covered,
                    "nothing is tagged before the vocabulary of the start is in force",
                    () -> "an instance that had to wait for %s tagged at epoch %d".formatted(requirement, epoch));
        }
    }

    private static int generation(TagEvent event) {
        String version = event.getModel().getVersion().split("[+]", 2)[0];
        return Integer.parseInt(version.substring(version.indexOf('-') + 1));
    }

    private void vocabularyIsTheTopics() {
        Map<String, String> expected = new TreeMap<>();
        labels.forEach((id, label) -> expected.put(id, label.getName()));
        for (SimulatedInstance instance : cluster.instances()) {
            VocabularySnapshot snapshot = instance.vocabulary().snapshot().orElseThrow();
            Map<String, String> inForce = new TreeMap<>();
            for (VocabularyLabel label : snapshot.labels()) {
                inForce.put(label.id(), label.name());
            }
            require(
                    inForce.equals(expected),
                    "the vocabulary in force is the topic's",
                    () -> "%s has %s instead of %s".formatted(instance, inForce, expected));
        }
    }

    /** Reads what was written as consumers of the topics do. */
    private void follow() {
        List<Written> written = cluster.broker().written();
        for (int place = 0; place < written.size(); place++) {
            forgetWhatIsLost(place);
            Written record = written.get(place);
            String id = record.key() == null ? "" : new String(record.key(), StandardCharsets.UTF_8);
            switch (record.topic()) {
                case TagstreamConfig.TAGS_TOPIC -> {
                    Optional<Integer> number = number(record);
                    number.ifPresent(of -> effective.put(
                            id,
                            record.value() == null
                                    ? DELETED
                                    : submissions.get(of).uri()));
                    swept += number.isEmpty() ? 1 : 0;
                    if (record.value() == null) {
                        followed.remove(id);
                    } else {
                        followed.put(id, event(record).getTags());
                    }
                }
                case TagstreamConfig.TAG_CHANGES_TOPIC -> tell(id, record);
                default -> {
                    // says nothing about tags
                }
            }
        }
        forgetWhatIsLost(written.size());
    }

    private void forgetWhatIsLost(int place) {
        metasLostAt.forEach((partition, lostAt) -> {
            if (lostAt == place) {
                effective.keySet().removeIf(id -> cluster.taskOf(id) == partition);
                told.keySet().removeIf(id -> cluster.taskOf(id) == partition);
            }
        });
    }

    private void tell(String id, Written record) {
        TagChange change = cluster.contracts()
                .tagChange()
                .deserializer()
                .deserialize(cluster.config().topic(TagstreamConfig.TAG_CHANGES_TOPIC), record.value());
        List<Tag> tags = new ArrayList<>(told.getOrDefault(id, List.of()));
        List<Tag> gone = new ArrayList<>(change.getRemoved());
        gone.addAll(change.getRescored());
        tags.removeIf(tag -> gone.stream().anyMatch(other -> other.getLabelId().equals(tag.getLabelId())));
        tags.addAll(change.getAdded());
        tags.addAll(change.getRescored());
        told.put(id, tags);
    }

    private void tagsAreThoseOfTaggingAnew() {
        Anew anew = new Anew();
        effective.forEach((id, uri) -> {
            Optional<ImageMeta> known = known(id);
            if (uri.equals(DELETED)) {
                require(
                        known.isEmpty() && !followed.containsKey(id),
                        "a deleted image is forgotten",
                        () -> id + " is still known");
                require(
                        told.getOrDefault(id, List.of()).isEmpty(),
                        "changes of tags add up to the tags",
                        () -> "%s was deleted and is told to have %s".formatted(id, told.get(id)));
                return;
            }
            require(
                    known.isPresent() && known.get().getUri().equals(uri),
                    "a tagged image is known",
                    () -> "%s ought to be %s and is %s".formatted(id, uri, known));
            List<Tag> expected = anew.tags(uri);
            require(
                    expected.equals(followed.get(id)),
                    "tags are those of tagging anew",
                    () -> "%s (%s) has %s instead of %s".formatted(id, uri, followed.get(id), expected));
            require(
                    sorted(expected).equals(sorted(told.getOrDefault(id, List.of()))),
                    "changes of tags add up to the tags",
                    () -> "%s has %s and is told to have %s".formatted(id, expected, told.get(id)));
        });
    }

    private static List<Tag> sorted(List<Tag> tags) {
        return tags.stream().sorted(Comparator.comparing(Tag::getLabelId)).toList();
    }

    private Optional<ImageMeta> known(String id) {
        return Optional.ofNullable(metas(cluster.taskOf(id)).get(id));
    }

    private Map<String, ImageMeta> metas(int partition) {
        Map<String, ImageMeta> metas = new TreeMap<>();
        store(TaggingTopology.IMAGE_META_STORE, partition)
                .forEach((key, value) -> metas.put(
                        new String(key.get(), StandardCharsets.UTF_8),
                        METAS.deserializer().deserialize(null, value)));
        return metas;
    }

    private Map<Bytes, byte[]> store(String store, int partition) {
        return cluster.broker()
                .changelog(SimulatedCluster.changelog(cluster.imagesGroup().name(), store, partition));
    }

    private void featuresBelongToTheirImages() {
        for (TaskId task : cluster.imagesGroup().tasks()) {
            if (!cluster.tags(task)) {
                continue;
            }
            Map<String, ImageMeta> metas = metas(task.partition());
            int kept = 0;
            boolean audited = false;
            for (Map.Entry<Bytes, byte[]> entry : store(TaggingTopology.IMAGE_FEATURES_STORE, task.partition())
                    .entrySet()) {
                long key = Serdes.Long()
                        .deserializer()
                        .deserialize(null, entry.getKey().get());
                if (key < 0) {
                    audited = true;
                    continue;
                }
                kept++;
                KeptFeatures features = FEATURES.deserializer().deserialize(null, entry.getValue());
                ImageMeta image = metas.get(features.getImageId());
                String madeOf = StandardCharsets.UTF_8
                        .decode(features.getFeatures().duplicate())
                        .toString();
                require(
                        image != null
                                && image.getFeatures() != null
                                && image.getFeatures() == key
                                && madeOf.equals(features.getModel().getVersion() + "\n" + image.getUri()),
                        "features belong to their image",
                        () -> "features %d of %s are of %s; the image is %s"
                                .formatted(key, features.getImageId(), madeOf, image));
            }
            countsAreRight(task, metas.size(), audited ? -1 : kept);
        }
    }

    /** @param features negative while they are being counted */
    private void countsAreRight(TaskId task, int images, int features) {
        SimulatedInstance owner = cluster.imagesGroup().owner(task).instance();
        SweepStatus status = SimulatedTagging.sweeps(owner.shared()).stream()
                .filter(each -> each.partition() == task.partition())
                .findFirst()
                .orElseThrow();
        require(
                status.images() == images && (features < 0 || status.features() == features),
                "known images and features are counted",
                () -> "task %s has %d and %d and counts %s".formatted(task, images, features, status));
    }

    private TagEvent event(Written record) {
        return cluster.contracts()
                .tagEvent()
                .deserializer()
                .deserialize(cluster.config().topic(TagstreamConfig.TAGS_TOPIC), record.value());
    }

    /** The number of the submission whose outcome a record is; empty if it is none's. */
    private static Optional<Integer> number(Written record) {
        Header header = record.headers().lastHeader(Simulation.NUMBER);
        return header == null
                ? Optional.empty()
                : Optional.of(Integer.valueOf(new String(header.value(), StandardCharsets.UTF_8)));
    }

    private static void require(boolean kept, String promise, Supplier<String> how) {
        if (!kept) {
            throw new Violation(promise, how.get());
        }
    }

    /** Tags images as if they had just been submitted, without any of the code that is judged but the model. */
    private final class Anew implements LabelVectors {
        private final List<Map.Entry<String, Label>> rows = new ArrayList<>(labels.entrySet());
        private final FloatBuffer vectors = ByteBuffer.allocateDirect(
                        rows.size() * FakeModelRuntime.EMBEDDING_SIZE * Float.BYTES)
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
        private final Map<String, List<Tag>> known = new HashMap<>();

        Anew() {
            for (Map.Entry<String, Label> row : rows) {
                Label label = row.getValue();
                String text = label.getPrompts().isEmpty()
                        ? label.getName()
                        : label.getPrompts().get(0).replace("{}", label.getName());
                vectors.put(FakeModelRuntime.vectorBytes(text).asFloatBuffer());
            }
            vectors.flip();
        }

        List<Tag> tags(String uri) {
            return known.computeIfAbsent(uri, this::score);
        }

        private List<Tag> score(String uri) {
            FakeModelRuntime fresh = FakeModelRuntime.manual(cluster.model(model), 1);
            CompletableFuture<ImageScores<LabelVectors>> scored = fresh.<LabelVectors>trySubmit(
                            new ImageRequest(uri, Optional.empty()), () -> this)
                    .orElseThrow();
            fresh.complete(1);
            float[] scores = scored.join().scores();
            TagPolicy policy = cluster.control().getPolicy();
            List<Tag> tags = new ArrayList<>();
            for (int row = 0; row < rows.size(); row++) {
                Label label = rows.get(row).getValue();
                double own =
                        label.getThreshold() == null ? cluster.model(model).defaultThreshold() : label.getThreshold();
                double threshold = policy.getMinScore() == null ? own : policy.getMinScore();
                if (label.getState() == LabelState.ACTIVE && scores[row] >= threshold) {
                    tags.add(new Tag(rows.get(row).getKey(), label.getName(), scores[row], (float) threshold));
                }
            }
            tags.sort(Comparator.comparing(Tag::getScore).reversed().thenComparing(Tag::getLabelId));
            int topK = policy.getTopK();
            return tags.size() > topK ? List.copyOf(tags.subList(0, topK)) : tags;
        }

        @Override
        public int size() {
            return rows.size();
        }

        @Override
        public FloatBuffer vectors() {
            return vectors.duplicate();
        }

        @Override
        public float referenceMean(int label) {
            return 0;
        }

        @Override
        public float referenceDeviation(int label) {
            return 1;
        }

        @Override
        public LabelSelection selection() {
            return cluster.config().selection(rows.size());
        }
    }

    Outcomes outcomes() {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
        for (Written record : cluster.broker().written()) {
            update(digest, record.topic().getBytes(StandardCharsets.UTF_8));
            update(digest, record.key());
            update(digest, record.value());
            for (Header header : record.headers()) {
                if (!header.key().contains("stacktrace")) { // names generated classes
                    update(digest, header.key().getBytes(StandardCharsets.UTF_8));
                    update(digest, header.value());
                }
            }
        }
        cluster.broker().changelogs().forEach((name, entries) -> {
            update(digest, name.getBytes(StandardCharsets.UTF_8));
            entries.forEach((key, value) -> {
                update(digest, key.get());
                update(digest, value);
            });
        });
        return new Outcomes(HexFormat.of().formatHex(digest.digest()), submissions.size(), swept);
    }

    private static void update(MessageDigest digest, byte[] bytes) {
        digest.update(ByteBuffer.allocate(Integer.BYTES)
                .putInt(bytes == null ? -1 : bytes.length)
                .flip());
        if (bytes != null) {
            digest.update(bytes);
        }
    }
}
