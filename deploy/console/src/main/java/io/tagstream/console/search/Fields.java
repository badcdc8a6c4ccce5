/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.search;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
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

/** The fields of an image that are indexed, and their names. */
final class Fields {
    static final String ID = "id";
    static final String TAGGED_AT = "taggedAt";
    static final String LABEL = "label";
    /** Label id and score in one term, so that a label's scores are a range of terms, however many labels there are. */
    static final String LABEL_SCORE = "labelScore";

    /** Label names in lower case, so that people can type them in any case. */
    static final String LABEL_NAME = "labelName";

    static final String LABEL_NAME_SCORE = "labelNameScore";
    static final String BEST_SCORE = "bestScore";
    /** Tag names, analysed as English: "dogs" finds "dog". */
    static final String NAMES = "names";
    /** The words of the same names, each with the best score among the tags that contain it. */
    static final String NAME_TERMS = "nameTerms";
    /** The same names, each whole and with its score. */
    static final String WHOLE_NAME = "wholeName";

    static final Set<String> LABEL_TERMS = Set.of(NAME_TERMS, WHOLE_NAME);
    /** All other text that has words. */
    static final String WORDS = "words";

    private static final String SOURCE = "source";
    private static final String INTERNAL_ATTRIBUTE = "tagstream.";
    private static final char SEPARATOR = '\u0000';
    private static final int SCORE_STEPS = 10_000;
    /** Lucene accepts terms of up to 32,766 bytes; of a longer name, only the beginning is indexed. */
    private static final int LONGEST_NAME = 1_000;

    private static final Analyzer ENGLISH = new EnglishAnalyzer();
    private static final Analyzer ANALYZER =
            new PerFieldAnalyzerWrapper(new StandardAnalyzer(), Map.of(NAMES, ENGLISH, NAME_TERMS, ENGLISH));

    private Fields() {}

    /** May be used by any number of threads. */
    static Analyzer analyzer() {
        return ANALYZER;
    }

    static Document document(ImageDocument image) {
        Document document = new Document();
        document.add(new StringField(ID, image.id(), Field.Store.NO));
        document.add(new SortedDocValuesField(ID, new BytesRef(image.id())));
        long taggedAt = image.taggedAt().toEpochMilli();
        document.add(new LongPoint(TAGGED_AT, taggedAt));
        document.add(new NumericDocValuesField(TAGGED_AT, taggedAt));
        float best = 0;
        Map<String, Float> terms = new HashMap<>();
        Map<String, Float> names = new HashMap<>();
        for (ImageDocument.TagScore tag : image.tags()) {
            document.add(new StringField(LABEL, tag.labelId(), Field.Store.NO));
            document.add(new StringField(LABEL_SCORE, labelScore(tag.labelId(), tag.score()), Field.Store.NO));
            String name = foldedName(tag.name());
            document.add(new StringField(LABEL_NAME, name, Field.Store.NO));
            document.add(new StringField(LABEL_NAME_SCORE, labelScore(name, tag.score()), Field.Store.NO));
            document.add(new TextField(NAMES, tag.name(), Field.Store.NO));
            nameTerms(tag.name()).forEach(term -> terms.merge(term, tag.score(), Math::max));
            names.merge(wholeName(tag.name()), tag.score(), Math::max);
            best = Math.max(best, tag.score());
        }
        document.add(LabelTerms.field(NAME_TERMS, terms));
        document.add(LabelTerms.field(WHOLE_NAME, names));
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

    static String foldedName(String name) {
        return shortened(name.strip().toLowerCase(Locale.ROOT));
    }

    /** The words of a name, analysed as English: "dogs" becomes "dog". */
    static List<String> nameTerms(String name) {
        return LabelTerms.of(ANALYZER, NAMES, name);
    }

    /** The same words as one term; empty for a name that has no words. */
    static String wholeName(String name) {
        return shortened(String.join(" ", nameTerms(name)));
    }

    private static String shortened(String name) {
        return name.substring(0, Math.min(name.length(), LONGEST_NAME));
    }

    /** The words of the id (often a path), the label ids, and the uploader's attributes. */
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
