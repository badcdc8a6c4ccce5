/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.labels;

import io.tagstream.avro.MarkerRules;
import io.tagstream.avro.state.EncoderProgress;
import io.tagstream.topology.clients.TopicReader;
import io.tagstream.topology.vocabulary.VocabularySnapshot;
import java.util.Comparator;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * Where a label encoder continues: compares what it remembers with what label-vocabulary and label-embeddings hold now.
 *
 * <p>Each of the three may have been lost. Epochs never go back: whichever of the three is left says how far they have
 * come.
 */
final class Resumption {
    private final Optional<EncoderProgress> stored;
    private final WrittenEmbeddings written;
    private final TopicReader.Contents vocabulary;
    private final long safeBase;

    /**
     * Compares them.
     *
     * @param stored what the encoder remembers, if anything
     * @param safeBase what to add to offsets if nothing is left that knows about epochs
     */
    Resumption(
            Optional<EncoderProgress> stored,
            WrittenEmbeddings written,
            TopicReader.Contents vocabulary,
            long safeBase) {
        this.stored = stored;
        this.written = written;
        this.vocabulary = vocabulary;
        this.safeBase = safeBase;
    }

    /** The vocabulary epoch that a progress stands for. */
    static long epoch(EncoderProgress progress) {
        return epoch(progress, progress.getProcessedOffset());
    }

    /** The vocabulary epoch of an offset of label-vocabulary, as a progress counts. */
    static long epoch(EncoderProgress progress, long offset) {
        return progress.getBase() + offset + changes(progress.getRules());
    }

    /** How often the rules were changed: every change is an epoch of its own. */
    static long changes(MarkerRules rules) {
        return rules == null ? 0 : rules.getRevision() - 1;
    }

    /**
     * The progress from which the encoder continues.
     *
     * @param labels how many labels the encoder holds
     * @param intact whether these are all the labels that it remembers
     */
    EncoderProgress progress(int labels, boolean intact) {
        Optional<EncoderProgress> known = stored.filter(this::isOfThisTopic);
        MarkerRules rules = rules();
        long changes = changes(rules);
        long processed = known.map(EncoderProgress::getProcessedOffset).orElse(-1L);
        long base = known.map(EncoderProgress::getBase).orElseGet(this::firstBase);
        base = Math.max(base, written.base(vocabulary.topicId()).orElse(base)); // as other encoders count
        boolean complete = known.isPresent()
                ? known.get().getComplete() && intact && base + processed + changes >= written.ownEpoch()
                : labels == 0 && vocabulary.records().isEmpty();
        if (!complete) {
            base = Math.max(base, lowestBase(processed) - changes);
        }
        return new EncoderProgress(processed, labels, vocabulary.topicId(), base, complete, rules);
    }

    /** The newest rules that this encoder has taken; null if it has taken none. */
    private MarkerRules rules() {
        return Stream.of(stored.map(EncoderProgress::getRules), written.rules())
                .flatMap(Optional::stream)
                .max(Comparator.comparing(MarkerRules::getRevision))
                .orElse(null);
    }

    /** Earlier versions of Tagstream did not say which topic their progress is for. A topic can lose its end, too. */
    private boolean isOfThisTopic(EncoderProgress progress) {
        boolean sameId = progress.getTopicId() == null || progress.getTopicId().equals(vocabulary.topicId());
        return sameId && progress.getProcessedOffset() < vocabulary.end();
    }

    /** What a topic is found to hold may differ from what was in force, and then has another epoch. */
    private long lowestBase(long processed) {
        return vocabulary.records().isEmpty()
                ? written.ownEpoch() - processed
                : written.ownEpoch() + 1 - Math.max(processed, vocabulary.newestOffset());
    }

    /** What to add to the offsets of a topic that is new to this encoder. */
    private long firstBase() {
        long left = stored.map(Resumption::epoch).orElse(VocabularySnapshot.EMPTY_EPOCH);
        OptionalLong told = written.base(vocabulary.topicId());
        if (told.isPresent()) {
            return Math.max(told.getAsLong(), left + 1);
        }
        if (stored.isEmpty() && written.newestEpoch() == VocabularySnapshot.EMPTY_EPOCH) {
            return safeBase;
        }
        boolean mayBeOfThisTopic =
                stored.isEmpty() && written.tellsNoTopic() && written.newestEpoch() < vocabulary.end();
        return mayBeOfThisTopic ? 0 : Math.max(written.newestEpoch(), left) + 1;
    }
}
