/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.search;

import org.apache.lucene.document.FloatPoint;
import org.apache.lucene.document.LongPoint;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.BooleanClause.Occur;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.MatchAllDocsQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.search.TermRangeQuery;
import org.apache.lucene.util.BytesRef;

/** Turns filters into Lucene queries. */
final class Queries {
    private Queries() {}

    static Query of(ImageFilter filter) {
        BooleanQuery.Builder query = new BooleanQuery.Builder();
        query.add(new MatchAllDocsQuery(), Occur.FILTER);
        double minScore = filter.minScore().orElse(0);
        filter.labels().forEach(label -> query.add(label(label, minScore), Occur.FILTER));
        if (filter.labels().isEmpty() && minScore > 0) {
            query.add(FloatPoint.newRangeQuery(Fields.BEST_SCORE, (float) minScore, Float.MAX_VALUE), Occur.FILTER);
        }
        filter.since()
                .ifPresent(since -> query.add(
                        LongPoint.newRangeQuery(Fields.TAGGED_AT, since.toEpochMilli(), Long.MAX_VALUE), Occur.FILTER));
        filter.text().filter(text -> !text.isBlank()).ifPresent(text -> query.add(WordQueries.of(text), Occur.MUST));
        return query.build();
    }

    /** Matches a label by its id, or by the name that it has in the image. */
    private static Query label(String label, double minScore) {
        return new BooleanQuery.Builder()
                .add(label(Fields.LABEL, Fields.LABEL_SCORE, label, minScore), Occur.SHOULD)
                .add(
                        label(Fields.LABEL_NAME, Fields.LABEL_NAME_SCORE, Fields.foldedName(label), minScore),
                        Occur.SHOULD)
                .build();
    }

    private static Query label(String field, String scoreField, String label, double minScore) {
        return minScore > 0
                ? new TermRangeQuery(
                        scoreField,
                        new BytesRef(Fields.labelScore(label, minScore)),
                        new BytesRef(Fields.labelScore(label, 1)),
                        true,
                        true)
                : new TermQuery(new Term(field, label));
    }
}
