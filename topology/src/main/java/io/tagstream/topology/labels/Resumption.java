/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.topology.labels;

import io.tagstream.avro.state.EncoderProgress;
import io.tagstream.topology.clients.TopicReader;
import io.tagstream.topology.vocabulary.VocabularySnapshot;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Where a label encoder goes on: what it remembers, held against what label-vocabulary and label-embeddings are now.
 *
 * <p>Each of the three may have been lost. Epochs never go back: whichever of them is left says how far they have come.
 */
final class Resumption {
    private final Optional<EncoderProgress> stored;
    private final WrittenEmbeddings written;
    private final TopicReader.Contents vocabulary;
    private final long safeBase;

    /**
     * Holds them against each other.
     *
     * @param stored what the encoder remembers, if it does
     * @param safeBase what is added to offsets where nothing is left that knows of epochs
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
        return progress.getBase() + progress.getProcessedOffset();
    }

    /**
     * The progress from which the encoder goes on.
     *
     * @param labels how many labels it holds
     * @param intact whether these are all that it remembers
     */
    EncoderProgress progress(int labels, boolean intact) {
        Optional<EncoderProgress> known = stored.filter(this::isOfThisTopic);
        long processed = known.map(EncoderProgress::getProcessedOffset).orElse(-1L);
        long base = known.map(EncoderProgress::getBase).orElseGet(this::firstBase);
        base = Math.max(base, written.base(vocabulary.topicId()).orElse(base)); // as another encoder counts
        boolean complete = known.isPresent()
                ? known.get().getComplete() && intact && base + processed >= written.ownEpoch()
                : labels == 0 && vocabulary.records().isEmpty();
        if (!complete) {
            base = Math.max(base, lowestBase(processed));
        }
        return new EncoderProgress(processed, labels, vocabulary.topicId(), base, complete);
    }

    /** An earlier version of Tagstream did not say of which topic its progress is. A topic can lose its end, too. */
    private boolean isOfThisTopic(EncoderProgress progress) {
        boolean sameId = progress.getTopicId() == null || progress.getTopicId().equals(vocabulary.topicId());
        return sameId && progress.getProcessedOffset() < vocabulary.end();
    }

    /** What a topic is found to hold, once it has been read, need not be what was in force: that has another epoch. */
    private long lowestBase(long processed) {
        return vocabulary.records().isEmpty()
                ? written.ownEpoch() - processed
                : written.ownEpoch() + 1 - Math.max(processed, vocabulary.newestOffset());
    }

    /** What is added to the offsets of a topic that this encoder has not met. */
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
