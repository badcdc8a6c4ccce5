/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.search;

import java.util.ArrayList;
import java.util.List;
import org.apache.lucene.index.Term;
import org.apache.lucene.index.TermStates;
import org.apache.lucene.search.DisjunctionMaxQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.search.TopTermsRewrite;

/** Rewrites a pattern so that, of the matching terms that an image has, only the one with the best score counts. */
final class BestTerm extends TopTermsRewrite<List<Query>> {
    private static final int MOST_TERMS = 256;

    BestTerm() {
        super(MOST_TERMS);
    }

    @Override
    protected int getMaxSize() {
        return MOST_TERMS;
    }

    @Override
    protected List<Query> getTopLevelBuilder() {
        return new ArrayList<>();
    }

    @Override
    protected void addClause(List<Query> terms, Term term, int documents, float boost, TermStates states) {
        terms.add(new TermQuery(term, states));
    }

    @Override
    protected Query build(List<Query> terms) {
        return new DisjunctionMaxQuery(terms, 0);
    }
}
