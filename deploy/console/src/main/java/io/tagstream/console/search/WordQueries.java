/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.search;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.lucene.index.Term;
import org.apache.lucene.queryparser.simple.SimpleQueryParser;
import org.apache.lucene.search.BooleanClause.Occur;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.BoostQuery;
import org.apache.lucene.search.ConstantScoreQuery;
import org.apache.lucene.search.DisjunctionMaxQuery;
import org.apache.lucene.search.FuzzyQuery;
import org.apache.lucene.search.PhraseQuery;
import org.apache.lucene.search.PrefixQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.TermQuery;

/**
 * Turns the words that people type into a query. These matches rank an image, from the highest to the lowest: a label
 * whose whole name was asked for; each word that a label contains; words in ids and attributes. Among equal matches,
 * the label's score in the image decides.
 *
 * <p>In numbers, for n words: a word of a label is worth 1 + its score / (n + 1), so that scores never outweigh another
 * matching word; the whole name is worth n + 2 + its score; and other words are worth next to nothing.
 */
final class WordQueries extends SimpleQueryParser {
    private static final float NEXT_TO_NOTHING = 1f / 65_536;
    private static final Pattern SPACE = Pattern.compile("\\s+");
    /** Plain words, quoted or not; hyphens within them are not operators. */
    private static final Pattern PLAIN = Pattern.compile("\"?([\\p{L}\\p{N}][^\"+|*()~\\\\]*)\"?");

    private static final Pattern MINUS = Pattern.compile("\\s-");

    private final String text;
    private final int words;

    private WordQueries(String text) {
        super(Fields.analyzer(), Map.of(Fields.WORDS, 1f));
        this.text = text.strip();
        this.words = SPACE.split(this.text).length;
        setDefaultOperator(Occur.MUST);
    }

    /** All words must be found; quotes, minus and a trailing star mean what people expect, and no text is an error. */
    static Query of(String text) {
        WordQueries queries = new WordQueries(text);
        Query all = queries.parse(queries.text);
        return queries.wholeName()
                .<Query>map(whole -> new DisjunctionMaxQuery(List.of(whole, all), 0))
                .orElse(all);
    }

    private Optional<Query> wholeName() {
        return Optional.of(PLAIN.matcher(text))
                .filter(plain -> plain.matches() && !MINUS.matcher(text).find())
                .map(plain -> Fields.wholeName(plain.group(1)))
                .filter(name -> !name.isEmpty())
                .map(name -> worth(new TermQuery(new Term(Fields.WHOLE_NAME, name)), words + 2, 1));
    }

    @Override
    protected Query newDefaultQuery(String word) {
        List<String> terms = Fields.nameTerms(word);
        return terms.isEmpty()
                ? others(super.newDefaultQuery(word))
                : either(worth(all(terms), 1, scoreWeight(terms.size())), super.newDefaultQuery(word));
    }

    @Override
    protected Query newPhraseQuery(String phrase, int slop) {
        List<String> terms = Fields.nameTerms(phrase);
        Query others = super.newPhraseQuery(phrase, slop);
        if (terms.isEmpty()) {
            return others(others);
        }
        PhraseQuery.Builder inOneName = new PhraseQuery.Builder().setSlop(slop);
        terms.forEach(term -> inOneName.add(new Term(Fields.NAMES, term)));
        Query labels = new BooleanQuery.Builder()
                .add(inOneName.build(), Occur.FILTER)
                .add(worth(all(terms), 1, scoreWeight(terms.size())), Occur.MUST)
                .build();
        return either(labels, others);
    }

    @Override
    protected Query newPrefixQuery(String start) {
        Term term = new Term(Fields.NAME_TERMS, Fields.analyzer().normalize(Fields.NAME_TERMS, start));
        Query labels = new BooleanQuery.Builder()
                .add(new ConstantScoreQuery(new PrefixQuery(term)), Occur.MUST)
                .add(new BoostQuery(new PrefixQuery(term, new BestTerm()), scoreWeight(1)), Occur.SHOULD)
                .build();
        return either(labels, super.newPrefixQuery(start));
    }

    @Override
    protected Query newFuzzyQuery(String word, int edits) {
        Term term = new Term(Fields.NAME_TERMS, Fields.analyzer().normalize(Fields.NAME_TERMS, word));
        Query similar = new FuzzyQuery(
                term,
                edits,
                FuzzyQuery.defaultPrefixLength,
                FuzzyQuery.defaultMaxExpansions,
                FuzzyQuery.defaultTranspositions,
                new BestTerm());
        return either(worth(similar, 1, scoreWeight(1)), super.newFuzzyQuery(word, edits));
    }

    private static Query all(List<String> terms) {
        BooleanQuery.Builder all = new BooleanQuery.Builder();
        terms.forEach(term -> all.add(new TermQuery(new Term(Fields.NAME_TERMS, term)), Occur.MUST));
        return all.build();
    }

    /** The weight left for a word's score, for each of the terms that make up the word. */
    private float scoreWeight(int terms) {
        return 1f / ((words + 1) * terms);
    }

    private static Query worth(Query query, int constant, float weight) {
        return new BooleanQuery.Builder()
                .add(new BoostQuery(new ConstantScoreQuery(query), constant), Occur.MUST)
                .add(new BoostQuery(query, weight), Occur.MUST)
                .build();
    }

    private static Query either(Query labels, Query others) {
        return others == null ? labels : new DisjunctionMaxQuery(List.of(labels, others(others)), 0);
    }

    /** Null if the text has no words, as in the parser. */
    private static Query others(Query query) {
        return query == null ? null : new BoostQuery(query, NEXT_TO_NOTHING);
    }
}
