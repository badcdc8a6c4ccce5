/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.search;

import java.io.IOException;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.analysis.miscellaneous.PerFieldAnalyzerWrapper;
import org.apache.lucene.analysis.standard.StandardAnalyzer;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.FloatPoint;
import org.apache.lucene.document.LongPoint;
import org.apache.lucene.document.NumericDocValuesField;
import org.apache.lucene.document.SortedDocValuesField;
import org.apache.lucene.document.StoredField;
import org.apache.lucene.document.StringField;
import org.apache.lucene.document.TextField;
import org.apache.lucene.util.BytesRef;

/** What of an image is indexed, and under which names. */
final class Fields {
    static final String ID = "id";
    static final String TAGGED_AT = "taggedAt";
    static final String LABEL = "label";
    /** Label id and score in one term, so that a label's scores are a range of terms, however many labels there are. */
    static final String LABEL_SCORE = "labelScore";

    static final String BEST_SCORE = "bestScore";
    /** Names of tags, as English: dogs find dog. */
    static final String NAMES = "names";
    /** Everything else that has words. */
    static final String WORDS = "words";

    private static final String SOURCE = "source";
    private static final String INTERNAL_ATTRIBUTE = "tagstream.";
    private static final char SEPARATOR = '\u0000';
    private static final int SCORE_STEPS = 10_000;

    private Fields() {}

    static Analyzer analyzer() {
        return new PerFieldAnalyzerWrapper(new StandardAnalyzer(), Map.of(NAMES, new EnglishAnalyzer()));
    }

    static Document document(ImageDocument image) {
        Document document = new Document();
        document.add(new StringField(ID, image.id(), Field.Store.NO));
        document.add(new SortedDocValuesField(ID, new BytesRef(image.id())));
        long taggedAt = image.taggedAt().toEpochMilli();
        document.add(new LongPoint(TAGGED_AT, taggedAt));
        document.add(new NumericDocValuesField(TAGGED_AT, taggedAt));
        float best = 0;
        for (ImageDocument.TagScore tag : image.tags()) {
            document.add(new StringField(LABEL, tag.labelId(), Field.Store.NO));
            document.add(new StringField(LABEL_SCORE, labelScore(tag.labelId(), tag.score()), Field.Store.NO));
            document.add(new TextField(NAMES, tag.name(), Field.Store.NO));
            best = Math.max(best, tag.score());
        }
        document.add(new FloatPoint(BEST_SCORE, best));
        document.add(new TextField(WORDS, words(image), Field.Store.NO));
        document.add(new StoredField(SOURCE, ImageJson.write(image)));
        return document;
    }

    static ImageDocument image(Document document) throws IOException {
        return ImageJson.read(document.getBinaryValue(SOURCE).bytes);
    }

    /** A term that sorts by label, then by score. */
    static String labelScore(String labelId, double score) {
        return labelId + SEPARATOR + String.format(Locale.ROOT, "%05d", Math.round(score * SCORE_STEPS));
    }

    /** The id, whose path has words, label ids, and the uploader's attributes. */
    private static String words(ImageDocument image) {
        return Stream.of(
                        Stream.of(image.id()),
                        image.tags().stream().map(ImageDocument.TagScore::labelId),
                        image.attributes().entrySet().stream()
                                .filter(attribute -> !attribute.getKey().startsWith(INTERNAL_ATTRIBUTE))
                                .map(Map.Entry::getValue))
                .flatMap(words -> words)
                .map(text -> text.replaceAll("[^\\p{L}\\p{N}]+", " "))
                .collect(Collectors.joining(" "));
    }
}
