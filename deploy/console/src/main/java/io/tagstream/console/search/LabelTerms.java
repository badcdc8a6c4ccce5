/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.search;

import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.tokenattributes.CharTermAttribute;
import org.apache.lucene.analysis.tokenattributes.TermFrequencyAttribute;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.FieldType;
import org.apache.lucene.index.IndexOptions;
import org.apache.lucene.search.CollectionStatistics;
import org.apache.lucene.search.TermStatistics;
import org.apache.lucene.search.similarities.BM25Similarity;
import org.apache.lucene.search.similarities.PerFieldSimilarityWrapper;
import org.apache.lucene.search.similarities.Similarity;

/**
 * Label terms that count by the label's score in an image, not by how often they occur: the score is stored in place of
 * the frequency.
 */
final class LabelTerms {
    private static final int SCORE_STEPS = 10_000;
    private static final FieldType TYPE = new FieldType();

    static {
        TYPE.setTokenized(true);
        TYPE.setOmitNorms(true);
        TYPE.setIndexOptions(IndexOptions.DOCS_AND_FREQS);
        TYPE.freeze();
    }

    private LabelTerms() {}

    /** The terms by which searches find a text. */
    static List<String> of(Analyzer analyzer, String field, String text) {
        List<String> terms = new ArrayList<>();
        try (TokenStream tokens = analyzer.tokenStream(field, new StringReader(text))) {
            CharTermAttribute term = tokens.addAttribute(CharTermAttribute.class);
            tokens.reset();
            while (tokens.incrementToken()) {
                terms.add(term.toString());
            }
            tokens.end();
        } catch (IOException e) {
            throw new UncheckedIOException("A text in memory can always be read", e);
        }
        return terms;
    }

    /** A field of terms, each with its score in [0, 1]. */
    static Field field(String name, Map<String, Float> scores) {
        return new Field(name, new ScoredTokens(scores), TYPE);
    }

    /** Scores terms of these fields by their stored score, and terms of all other fields by BM25. */
    static Similarity similarity() {
        Similarity words = new BM25Similarity();
        Similarity labels = new ScoreSimilarity();
        return new PerFieldSimilarityWrapper() {
            @Override
            public Similarity get(String field) {
                return Fields.LABEL_TERMS.contains(field) ? labels : words;
            }
        };
    }

    private static final class ScoredTokens extends TokenStream {
        private final CharTermAttribute term = addAttribute(CharTermAttribute.class);
        private final TermFrequencyAttribute frequency = addAttribute(TermFrequencyAttribute.class);
        private final Iterator<Map.Entry<String, Float>> scores;

        ScoredTokens(Map<String, Float> scores) {
            this.scores = scores.entrySet().iterator();
        }

        @Override
        public boolean incrementToken() {
            if (!scores.hasNext()) {
                return false;
            }
            Map.Entry<String, Float> next = scores.next();
            clearAttributes();
            term.append(next.getKey());
            frequency.setTermFrequency(Math.max(1, Math.round(next.getValue() * SCORE_STEPS)));
            return true;
        }
    }

    private static final class ScoreSimilarity extends Similarity {
        @Override
        public SimScorer scorer(float boost, CollectionStatistics collection, TermStatistics... terms) {
            return new SimScorer() {
                @Override
                public float score(float frequency, long norm) {
                    return boost * frequency / SCORE_STEPS;
                }
            };
        }
    }
}
