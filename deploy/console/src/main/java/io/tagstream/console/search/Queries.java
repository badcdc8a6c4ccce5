/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.search;

import java.util.Map;
import org.apache.lucene.document.FloatPoint;
import org.apache.lucene.document.LongPoint;
import org.apache.lucene.index.Term;
import org.apache.lucene.queryparser.simple.SimpleQueryParser;
import org.apache.lucene.search.BooleanClause.Occur;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.MatchAllDocsQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.search.TermRangeQuery;
import org.apache.lucene.util.BytesRef;

/** Filters and people's words as Lucene's queries. */
final class Queries {
    /** A word that is a tag's name counts for more than one in a file's name. */
    private static final Map<String, Float> WEIGHTS = Map.of(Fields.NAMES, 3f, Fields.WORDS, 1f);

    private Queries() {}

    static Query of(ImageFilter filter) {
        BooleanQuery.Builder query = new BooleanQuery.Builder();
        query.add(new MatchAllDocsQuery(), Occur.FILTER);
        double minScore = filter.minScore().orElse(0);
        for (String label : filter.labels()) {
            query.add(
                    minScore > 0 ? withScore(label, minScore) : new TermQuery(new Term(Fields.LABEL, label)),
                    Occur.FILTER);
        }
        if (filter.labels().isEmpty() && minScore > 0) {
            query.add(FloatPoint.newRangeQuery(Fields.BEST_SCORE, (float) minScore, Float.MAX_VALUE), Occur.FILTER);
        }
        filter.since()
                .ifPresent(since -> query.add(
                        LongPoint.newRangeQuery(Fields.TAGGED_AT, since.toEpochMilli(), Long.MAX_VALUE), Occur.FILTER));
        filter.text().filter(text -> !text.isBlank()).ifPresent(text -> query.add(words(text), Occur.MUST));
        return query.build();
    }

    private static Query withScore(String label, double minScore) {
        return new TermRangeQuery(
                Fields.LABEL_SCORE,
                new BytesRef(Fields.labelScore(label, minScore)),
                new BytesRef(Fields.labelScore(label, 1)),
                true,
                true);
    }

    /** All words must be found; quotes, minus and a final star mean what people expect, and nothing is an error. */
    private static Query words(String text) {
        SimpleQueryParser parser = new SimpleQueryParser(Fields.analyzer(), WEIGHTS);
        parser.setDefaultOperator(Occur.MUST);
        return parser.parse(text);
    }
}
