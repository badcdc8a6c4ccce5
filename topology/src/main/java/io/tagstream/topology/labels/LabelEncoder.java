/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.labels;

import io.tagstream.avro.ClusterControl;
import io.tagstream.avro.Label;
import io.tagstream.avro.LabelEmbedding;
import io.tagstream.avro.MarkerRules;
import io.tagstream.avro.RecordOrigin;
import io.tagstream.avro.VocabularyMarker;
import io.tagstream.avro.state.EncoderProgress;
import io.tagstream.model.ModelRuntime;
import io.tagstream.schemas.registry.RegistryUnavailableException;
import io.tagstream.topology.clients.Pace;
import io.tagstream.topology.clients.TopicReader;
import io.tagstream.topology.config.TagstreamConfig;
import io.tagstream.topology.labels.LabelIntake.Change;
import io.tagstream.topology.labels.LabelIntake.Taken;
import io.tagstream.topology.records.Contracts;
import io.tagstream.topology.records.RecordLimit;
import io.tagstream.topology.records.RecordTimestamp;
import io.tagstream.topology.vocabulary.EmbeddingKey;
import io.tagstream.topology.vocabulary.EmbeddingReader;
import io.tagstream.topology.vocabulary.LabelLimits;
import io.tagstream.topology.vocabulary.VocabularySnapshot;
import io.tagstream.topology.waits.Wait;
import io.tagstream.topology.waits.WaitReason;
import io.tagstream.topology.waits.Waits;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.streams.processor.Cancellable;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.apache.kafka.streams.state.KeyValueStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Encodes labels, and writes markers that say how far it has come.
 *
 * <p>Every record of label-vocabulary is either taken (an embedding, or a tombstone) or refused (a failure; the label's
 * previous version stays in force). A group of changes ends when none has arrived for a moment; then a marker is
 * written with the offset up to which everything has been taken or refused.
 *
 * <p><i>The rules.</i> A marker also puts the model and the tag policy in force that the control record says. Every
 * change of them is an epoch of its own, so that known images follow it as they follow the labels.
 *
 * <p><i>What may be lost.</i> Before anything else the encoder looks at both topics. Whatever its store holds and
 * label-embeddings lacks, or holds in unreadable bytes, is written again, and so is the marker. When something else is
 * written to label-embeddings later, the encoder looks again. Labels that its store lacks are taken from
 * label-embeddings, and label-vocabulary is read again from its beginning.
 *
 * <p><i>A schema registry that does not answer</i> holds up a change whose schema is not known, and those that follow it,
 * while the labels in force stay in force.
 *
 * <p><i>A recreated label-vocabulary</i> is the vocabulary from its first record on: it is read from its beginning, and
 * labels that it has no record of are removed. While it is empty, the labels in force stay in force. Epochs continue
 * ({@link Resumption}).
 *
 * <p><i>Threading notes.</i> Used by one stream thread. Encoding and reading the topics block it; nothing else waits
 * for this topology.
 */
final class LabelEncoder implements Processor<byte[], byte[], Object, byte[]> {
    private static final Logger log = LoggerFactory.getLogger(LabelEncoder.class);
    private static final String PROGRESS_KEY = "progress";
    /** The most labels to name in the log. */
    private static final int MOST_TOLD = 10;

    private static final Duration MARKER_CHECK = Duration.ofMillis(20);

    /** How often to look at the control record: seldom, since every punctuation makes Kafka Streams commit. */
    private static final Duration CONTROL_CHECK = Duration.ofMillis(500);

    /** The first pause before the schema registry is asked again; it doubles with every question that has no answer. */
    private static final Duration FIRST_PAUSE = Duration.ofMillis(100);

    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);

    /**
     * How long to spend on reading changes again before committing the work so far: a transaction that takes longer than
     * Kafka Streams' timeout of 10 s is aborted, and the work is lost.
     */
    private static final Duration TURN = Duration.ofMillis(500);

    private final TagstreamConfig config;
    private final LabelIntake intake;
    private final String textFingerprint;
    private final Supplier<ClusterControl> control;
    private final Supplier<TopicReader> topicReaders;
    private final String labelsTopic;
    private final EmbeddingReader embeddings;
    private final LabelLimits limits;
    private final Waits waits;
    private final LongSupplier nanoTime;
    private final Pace pace;

    private ProcessorContext<Object, byte[]> context;
    private TopicReader topics;
    private EncodedLabels encoded;
    private KeyValueStore<String, EncoderProgress> progressStore;

    /** Null until the topics have been looked at. */
    private EncoderProgress progress;

    /** Wall-clock milliseconds at which the open group's first change arrived. */
    private long groupBegan;

    /**
     * Checks since the last change. These, not the clock, show that the topic is quiet: while changes wait to be read,
     * one is taken between any two checks, however long the thread is held up.
     */
    private long quietChecks;

    /** Runs while a group is open: every punctuation makes Kafka Streams commit, even when idle. */
    private Cancellable markerCheck;

    /** As long as a group is open. */
    private Pace.Work work;

    /** Whether the newest marker is out of date. */
    private boolean markerDue;

    /** Changes to be read again, and the changes that arrived after them. */
    private final Deque<Change> queue = new ArrayDeque<>();

    /** The offset of the last change that was queued; -1 for none. */
    private long queuedOffset;

    /** Ids of the labels that were read again or need not be; null while no change is queued. */
    private Set<String> met;

    /** How many of them are in force. */
    private int metInForce;

    /** Labels that another encoder has in force although they exceed the limits, by id. */
    private Map<String, Label> elsewhere = Map.of();

    /** The offset of the last change that Kafka Streams handed over; -1 for none. */
    private long handedOffset;

    /** Whether Kafka Streams is handing over changes again that were already taken from this topic. */
    private boolean handsOverAgain;

    /** Where label-embeddings ended at the last look; -1 if this encoder has written there since. */
    private long lookedUpTo;

    /** Where label-embeddings began at the last look. */
    private long lookedFrom;

    /** Whether this encoder has written there since the last scheduled look: the writes may not be committed yet. */
    private boolean wrote;

    /** The pause after the last question to the schema registry that had no answer. */
    private Duration pause = FIRST_PAUSE;

    /** Wall-clock milliseconds at which to ask it again. */
    private long askAgainAt;

    LabelEncoder(
            TagstreamConfig config,
            Contracts contracts,
            ModelRuntime runtime,
            RecordLimit limit,
            Supplier<ClusterControl> control,
            Supplier<TopicReader> topicReaders,
            Waits waits,
            LongSupplier nanoTime,
            Pace pace) {
        this.config = config;
        this.waits = waits;
        this.nanoTime = nanoTime;
        this.pace = pace;
        this.intake = new LabelIntake(config, contracts, runtime, limit);
        this.limits = LabelLimits.of(config);
        this.textFingerprint = runtime.description().textFingerprint();
        this.control = control;
        this.topicReaders = topicReaders;
        this.labelsTopic = config.topic(TagstreamConfig.LABELS_TOPIC);
        this.embeddings = new EmbeddingReader(
                config.topic(TagstreamConfig.EMBEDDINGS_TOPIC),
                runtime.description(),
                contracts.labelEmbedding().deserializer());
    }

    @Override
    public void init(ProcessorContext<Object, byte[]> processorContext) {
        context = processorContext;
        encoded = new EncodedLabels(context.getStateStore(LabelEncoderTopology.ENCODED_LABELS_STORE));
        progressStore = context.getStateStore(LabelEncoderTopology.ENCODER_PROGRESS_STORE);
        topics = topicReaders.get();
        progress = null;
        endGroup(); // a revived task's, of its former life
        handedOffset = -1;
        handsOverAgain = false;
        wrote = false;
        beginGroup(); // its first check looks at the topics
        context.schedule(config.topicsCheck(), PunctuationType.WALL_CLOCK_TIME, now -> lookAgain());
        context.schedule(CONTROL_CHECK, PunctuationType.WALL_CLOCK_TIME, now -> followControl());
    }

    @Override
    public void process(Record<byte[], byte[]> handed) {
        RecordMetadata metadata = context.recordMetadata().orElseThrow();
        Change change = new Change(handed, new RecordOrigin(metadata.topic(), metadata.partition(), metadata.offset()));
        if (wasTaken(change)) {
            return;
        }
        if (markerCheck == null) {
            beginGroup();
        }
        markerDue = true;
        quietChecks = 0;
        if (met != null) {
            queue(change); // behind the changes that are read again or wait
            return;
        }
        try {
            take(change);
            progress.setProcessedOffset(change.offset());
        } catch (RegistryUnavailableException e) {
            holdBack(change);
            await(e);
        }
        saveProgress();
    }

    /**
     * Takes a change later, and those that follow it after it. Kafka Streams does not hand it over again, so an encoder
     * that starts meanwhile reads the topic again.
     */
    private void holdBack(Change change) {
        met = new HashSet<>(encoded.ids());
        metInForce = progress.getLabels();
        progress.setComplete(false);
        queue(change);
    }

    private void await(RegistryUnavailableException e) {
        askAgainAt = context.currentSystemTimeMs() + pause.toMillis();
        Duration doubled = pause.multipliedBy(2);
        pause = doubled.compareTo(LONGEST_PAUSE) < 0 ? doubled : LONGEST_PAUSE;
        waits.beginLabels(queue.size(), new Wait(WaitReason.REGISTRY_AWAY, e.getMessage()));
    }

    private void awaitNothing() {
        pause = FIRST_PAUSE;
        waits.endLabels();
    }

    private static Change change(ConsumerRecord<byte[], byte[]> found) {
        return new Change(
                new Record<>(found.key(), found.value(), RecordTimestamp.of(found.timestamp()), found.headers()),
                new RecordOrigin(found.topic(), found.partition(), found.offset()));
    }

    private void queue(Change change) {
        queue.add(change);
        queuedOffset = change.offset();
    }

    /**
     * Whether a change was already taken, or is queued. Such changes arrive when Kafka Streams has lost its place in
     * the topic, and so do changes from another topic that was created in its place.
     */
    private boolean wasTaken(Change change) {
        boolean firstOfItsTopic = progress != null && !progress.getComplete() && met == null;
        if (progress == null || firstOfItsTopic) {
            look();
        }
        boolean goesBack = change.offset() <= handedOffset;
        handedOffset = change.offset();
        if (change.offset() <= reachedOffset() && (goesBack || !handsOverAgain)) {
            handsOverAgain = true;
            if (isAnotherTopic()) {
                look();
            }
        }
        if (change.offset() <= reachedOffset()) {
            return true;
        }
        handsOverAgain = false;
        return false;
    }

    /** A topic with another id, or one that has lost its end: the records at those offsets now were never taken. */
    private boolean isAnotherTopic() {
        return !topics.topicId(labelsTopic).equals(progress.getTopicId())
                || topics.end(labelsTopic) <= progress.getProcessedOffset();
    }

    private long reachedOffset() {
        return Math.max(progress.getProcessedOffset(), queuedOffset);
    }

    /** Finds out where to continue, and writes what label-embeddings lacks. */
    private void look() {
        TopicReader.Contents vocabulary = topics.read(labelsTopic);
        WrittenEmbeddings written = readEmbeddings();
        Optional<EncoderProgress> stored = storedProgress();
        boolean intact =
                encoded.isReadable() && stored.map(EncoderProgress::getLabels).orElse(-1) == encoded.size();
        if (!intact) {
            encoded.adopt(written);
        }
        progress = new Resumption(stored, written, vocabulary, safeBase()).progress(encoded.size(), intact);
        elsewhere = written.elsewhere();
        tellOfExcess();
        queue.clear();
        queuedOffset = -1;
        met = null;
        awaitNothing();
        if (!progress.getComplete()) {
            readAgain(vocabulary);
        }
        if (met == null || progress.getRules() == null) { // else the epoch is not known yet
            takeRules(written.ownEpoch());
        }
        saveProgress();
        mend(written);
    }

    private void followControl() {
        if (progress == null || met != null || !takeRules(VocabularySnapshot.EMPTY_EPOCH)) {
            return;
        }
        saveProgress();
        markerDue = true;
        quietChecks = 0;
        if (markerCheck == null) {
            beginGroup();
        }
    }

    /**
     * Takes the control record, if it is newer than the rules; the next marker puts it in force, at a higher epoch.
     *
     * @param used the highest epoch that images may follow by now, if that is above the encoder's
     */
    private boolean takeRules(long used) {
        ClusterControl now = control.get();
        MarkerRules before = progress.getRules();
        if (before != null && now.getRevision() <= before.getRevision()) {
            return false;
        }
        boolean floorFell = before == null
                || now.getPolicy().getScoresFloor() < before.getPolicy().getScoresFloor();
        long always = VocabularySnapshot.EMPTY_EPOCH;
        MarkerRules rules = new MarkerRules(now.getRevision(), now.getBundle(), now.getPolicy(), always, always);
        progress.setRules(rules);
        if (Resumption.changes(rules) > 0) { // nothing can have come before the first
            long since = Math.max(Resumption.epoch(progress), used + 1);
            rules.setSince(since);
            rules.setFloorSince(floorFell ? since : before.getFloorSince());
        }
        return true;
    }

    /**
     * An encoder that has read label-vocabulary before has used epochs, and so has any encoder if images were tagged: it
     * may have had another text encoder. If its store and label-embeddings are lost, the clock is still higher than any
     * of them: nobody changes a label every millisecond.
     */
    private long safeBase() {
        boolean used = topics.hasRead(context.applicationId(), labelsTopic)
                || topics.hasHadRecords(config.topic(TagstreamConfig.TAGS_TOPIC));
        return used ? context.currentSystemTimeMs() : 0;
    }

    private void readAgain(TopicReader.Contents vocabulary) {
        if (vocabulary.records().isEmpty()) {
            log.warn(
                    "Topic {} was recreated and is empty: the {} labels in force stay in force until its first record",
                    labelsTopic,
                    progress.getLabels());
            return;
        }
        met = new HashSet<>();
        metInForce = 0;
        vocabulary.records().forEach(found -> queue(change(found)));
        log.info("Reading topic {} from its beginning, up to offset {}", labelsTopic, queuedOffset);
    }

    /** Labels from before there were limits stay in force. */
    private void tellOfExcess() {
        Map<String, LabelLimits.Refusal> exceeded = limits.exceeded(encoded.labels());
        exceeded.entrySet().stream()
                .limit(MOST_TOLD)
                .forEach(label -> log.warn(
                        "A label in force would be refused today ({}); it stays in force{}. Remove it and add it anew",
                        label.getValue().message(),
                        LabelLimits.isEmitted(label.getKey())
                                ? ""
                                : ", but its id is too long for tags, so no image gets it"));
        if (exceeded.size() > MOST_TOLD) {
            log.warn("{} more labels in force would be refused today", exceeded.size() - MOST_TOLD);
        }
        int excess = limits.excess(progress.getLabels());
        if (excess > 0) {
            log.warn(
                    "{} labels are in force, {} more than {} allows; they stay in force until the labels are encoded"
                            + " anew, for another model: raise it before that",
                    progress.getLabels(),
                    excess,
                    TagstreamConfig.VOCABULARY_MAX);
        }
    }

    /** Checks whether the topics are still as this encoder left them. */
    private void lookAgain() {
        boolean mayBeUncommitted = wrote;
        wrote = false;
        if (progress == null) {
            return;
        }
        boolean another;
        Optional<WrittenEmbeddings> changed = Optional.empty();
        try {
            another = isAnotherTopic();
            boolean atRest = markerCheck == null && !mayBeUncommitted;
            if (atRest && !another && isChanged(embeddings.topic())) {
                changed = Optional.of(readEmbeddings());
            }
        } catch (KafkaException e) {
            log.warn("Cannot check the vocabulary's topics for now: {}", e.toString());
            return;
        }
        if (another) {
            look();
        }
        changed.ifPresent(this::keepUpWith);
    }

    private void keepUpWith(WrittenEmbeddings written) {
        progress.setBase(
                Math.max(progress.getBase(), written.base(progress.getTopicId()).orElse(progress.getBase())));
        saveProgress();
        mend(written);
    }

    private boolean isChanged(String topic) {
        return topics.end(topic) != lookedUpTo || topics.begin(topic) != lookedFrom;
    }

    private WrittenEmbeddings readEmbeddings() {
        lookedFrom = topics.begin(embeddings.topic());
        TopicReader.Contents contents = topics.read(embeddings.topic());
        lookedUpTo = contents.end();
        return new WrittenEmbeddings(contents, embeddings, limits);
    }

    /** Writes what label-embeddings lacks; the marker follows when the group ends. */
    private void mend(WrittenEmbeddings written) {
        Map<String, Optional<LabelEmbedding>> missing = encoded.missingIn(written);
        missing.forEach((id, label) -> write(new EmbeddingKey(textFingerprint, id), label.orElse(null)));
        if (!missing.isEmpty()) {
            log.warn(
                    "Topic {} does not match the {} encoded labels; records written again: {}",
                    embeddings.topic(),
                    progress.getLabels(),
                    missing.size());
        }
        markerDue = met != null
                || !missing.isEmpty()
                || written.changedSinceMarker()
                || !written.marker().equals(Optional.of(marker()));
        if (markerDue && markerCheck == null) {
            beginGroup();
        }
    }

    private Optional<EncoderProgress> storedProgress() {
        try {
            return Optional.ofNullable(progressStore.get(PROGRESS_KEY));
        } catch (SerializationException e) {
            log.error("The label encoder's stored progress cannot be read and counts as unknown", e);
            return Optional.empty();
        }
    }

    private void saveProgress() {
        progressStore.put(PROGRESS_KEY, EncoderProgress.newBuilder(progress).build());
    }

    /** Takes a change, or refuses it. */
    private void take(Change change) {
        int inForce = met == null ? progress.getLabels() : metInForce;
        if (met != null) {
            intake.id(change).ifPresent(this::meet);
        }
        try {
            Taken taken =
                    intake.understand(change, Resumption.epoch(progress, change.offset()), encoded, inForce, elsewhere);
            metInForce += taken.growth();
            if (met != null && Objects.equals(taken.embedding(), taken.previous())) {
                return; // it was taken before, and still is
            }
            encoded.put(taken.id(), taken.embedding());
            write(new EmbeddingKey(textFingerprint, taken.id()), taken.embedding());
            progress.setLabels(progress.getLabels() + taken.growth());
        } catch (RefusedLabelException refused) {
            intake.refuse(change, refused, context);
        }
    }

    private void meet(String id) {
        if (met.add(id) && encoded.find(id).isPresent()) {
            metInForce++;
        }
    }

    private void beginGroup() {
        groupBegan = context.currentSystemTimeMs();
        quietChecks = 0;
        work = pace.begin();
        markerCheck = context.schedule(MARKER_CHECK, PunctuationType.WALL_CLOCK_TIME, this::markWhenQuiet);
    }

    private void endGroup() {
        if (markerCheck != null) {
            markerCheck.cancel();
            markerCheck = null;
            work.end();
        }
    }

    private void markWhenQuiet(long now) {
        if (progress == null) {
            look();
        }
        if (!markerDue) {
            endGroup();
            return;
        }
        if (met != null) {
            readOn(now);
            return;
        }
        quietChecks++;
        // the first check may come right after the last change
        boolean quiet = (quietChecks - 1) * MARKER_CHECK.toMillis()
                >= config.labelsQuiet().toMillis();
        boolean due = now - groupBegan >= config.labelsGroup().toMillis();
        if (quiet || due) {
            endGroup();
            markerDue = false;
            write(EmbeddingKey.marker(textFingerprint), marker());
            context.commit();
            log.info("{} labels encoded up to offset {}", progress.getLabels(), progress.getProcessedOffset());
        }
    }

    /** Takes queued changes, such as those of the topic that is read again; at its end, removes labels that the topic has no record of. */
    private void readOn(long now) {
        if (waits.ofLabels().isPresent() && now < askAgainAt) {
            return;
        }
        long began = nanoTime.getAsLong(); // the context's clock stands still during a punctuation
        while (!queue.isEmpty() && nanoTime.getAsLong() - began < TURN.toNanos()) {
            try {
                take(queue.element());
            } catch (RegistryUnavailableException e) {
                await(e);
                saveProgress();
                return;
            }
            queue.remove();
            awaitNothing();
        }
        if (queue.isEmpty()) {
            encoded.idsBut(met).forEach(id -> {
                encoded.put(id, null);
                write(new EmbeddingKey(textFingerprint, id), null);
            });
            met = null;
            progress.setProcessedOffset(reachedOffset());
            progress.setLabels(encoded.size());
            progress.setComplete(true);
            groupBegan = now;
        }
        saveProgress();
    }

    private LabelEmbedding marker() {
        return new LabelEmbedding(
                textFingerprint,
                Resumption.epoch(progress),
                new VocabularyMarker(
                        progress.getLabels(),
                        progress.getTopicId(),
                        progress.getProcessedOffset(),
                        progress.getRules()));
    }

    private void write(EmbeddingKey key, LabelEmbedding embedding) {
        context.forward(
                intake.written(key, embedding, context.currentSystemTimeMs()), LabelEncoderTopology.EMBEDDINGS_SINK);
        wrote = true;
        lookedUpTo = -1;
    }

    @Override
    public void close() {
        awaitNothing();
        endGroup();
        if (topics != null) {
            topics.close();
            topics = null;
        }
    }
}
