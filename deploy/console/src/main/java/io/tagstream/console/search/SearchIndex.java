/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.search;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.commons.io.FileUtils;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.BooleanClause.Occur;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.FieldDoc;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.MatchAllDocsQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.SearcherFactory;
import org.apache.lucene.search.SearcherManager;
import org.apache.lucene.search.Sort;
import org.apache.lucene.search.SortField;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.search.TopDocs;
import org.apache.lucene.search.TopFieldCollectorManager;
import org.apache.lucene.search.similarities.Similarity;
import org.apache.lucene.store.FSDirectory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The index: one document per image, and how far it has read the tags topic.
 *
 * <p><i>Threading notes.</i> One thread changes it ({@link #put}, {@link #delete}, {@link #show}, {@link #commit},
 * {@link #startAnew}); any number of threads search. Searches find a change after {@link #show}, and it survives a
 * crash after {@link #commit}: a restart continues from the last commit, and applies later changes again.
 */
public final class SearchIndex implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(SearchIndex.class);
    private static final double MEMORY_MIB = 16;

    private static final SortField NEWEST_FIRST = new SortField(Fields.TAGGED_AT, SortField.Type.LONG, true);
    private static final SortField BY_ID = new SortField(Fields.ID, SortField.Type.STRING);
    private static final Sort BY_TIME = new Sort(NEWEST_FIRST, BY_ID);
    private static final Sort BY_RELEVANCE = new Sort(SortField.FIELD_SCORE, NEWEST_FIRST, BY_ID);

    private static final Similarity SIMILARITY = LabelTerms.similarity();
    private static final SearcherFactory SEARCHERS = new SearcherFactory() {
        @Override
        public IndexSearcher newSearcher(IndexReader reader, IndexReader previous) {
            IndexSearcher searcher = new IndexSearcher(reader);
            searcher.setSimilarity(SIMILARITY);
            return searcher;
        }
    };

    private final FSDirectory directory;
    private final IndexWriter writer;
    private final SearcherManager searchers;
    private IndexPosition position;

    private SearchIndex(FSDirectory directory, IndexWriter writer, SearcherManager searchers, IndexPosition position) {
        this.directory = directory;
        this.writer = writer;
        this.searchers = searchers;
        this.position = position;
    }

    /**
     * Opens the index in a directory, or creates it. An index that cannot be read is created again: the topic still
     * has all of its content.
     *
     * @throws UncheckedIOException if the directory cannot be written
     */
    public static SearchIndex open(Path directory) {
        try {
            return reopen(directory);
        } catch (IOException e) {
            log.warn("The search index in {} cannot be read; building a new one: {}", directory, e.toString());
            try {
                FileUtils.deleteDirectory(directory.toFile());
                return reopen(directory);
            } catch (IOException again) {
                throw new UncheckedIOException(
                        "the search index cannot be written to " + directory
                                + "; free disk space or change the directory's permissions",
                        again);
            }
        }
    }

    private static SearchIndex reopen(Path path) throws IOException {
        FSDirectory directory = FSDirectory.open(path);
        IndexWriter writer = null;
        try {
            IndexWriterConfig config = new IndexWriterConfig(Fields.analyzer());
            config.setSimilarity(SIMILARITY);
            config.setRAMBufferSizeMB(MEMORY_MIB);
            config.setCommitOnClose(false); // changes since the last commit have no position
            writer = new IndexWriter(directory, config);
            Map<String, String> data = new HashMap<>();
            if (writer.getLiveCommitData() != null) {
                writer.getLiveCommitData().forEach(entry -> data.put(entry.getKey(), entry.getValue()));
            }
            SearcherManager searchers = new SearcherManager(writer, SEARCHERS);
            return new SearchIndex(directory, writer, searchers, IndexPosition.ofUserData(data));
        } catch (IOException | RuntimeException e) {
            if (writer != null) {
                writer.rollback();
            }
            directory.close();
            throw e instanceof IOException known ? known : new IOException(e);
        }
    }

    /** How far the index had read the topic at its last commit. */
    public IndexPosition position() {
        return position;
    }

    /** Adds an image, or replaces it. */
    public void put(ImageDocument image) throws IOException {
        writer.updateDocument(id(image.id()), Fields.document(image));
    }

    /** Removes an image. */
    public void delete(String imageId) throws IOException {
        writer.deleteDocuments(id(imageId));
    }

    /** Removes everything, to start again at the beginning of a topic. */
    public void startAnew(IndexPosition beginning) throws IOException {
        writer.deleteAll();
        commit(beginning);
        show();
    }

    /** Lets searches find all changes so far. */
    public void show() throws IOException {
        searchers.maybeRefreshBlocking();
    }

    /** Makes all changes so far, and the position reached, survive a crash. */
    public void commit(IndexPosition reached) throws IOException {
        writer.setLiveCommitData(reached.toUserData().entrySet());
        writer.commit();
        position = reached;
    }

    /** The image, if it is known. */
    public Optional<ImageDocument> find(String imageId) {
        return search(searcher -> {
            TopDocs found = searcher.search(new TermQuery(id(imageId)), 1);
            return found.scoreDocs.length == 0 ? Optional.empty() : Optional.of(image(searcher, found.scoreDocs[0]));
        });
    }

    /** Those of the given images that are known and meet a filter, in the given order. */
    public List<ImageDocument> find(Collection<String> imageIds, ImageFilter filter) {
        return search(searcher -> {
            List<ImageDocument> images = new ArrayList<>();
            Query query = Queries.of(filter);
            for (String imageId : imageIds) {
                TopDocs found = searcher.search(
                        new BooleanQuery.Builder()
                                .add(query, Occur.FILTER)
                                .add(new TermQuery(id(imageId)), Occur.FILTER)
                                .build(),
                        1);
                if (found.scoreDocs.length > 0) {
                    images.add(image(searcher, found.scoreDocs[0]));
                }
            }
            return images;
        });
    }

    /**
     * Images, newest first.
     *
     * @param after where the previous page ended
     * @throws IllegalArgumentException if {@code after} did not come from a page
     */
    public ImagePage newest(ImageFilter filter, int limit, Optional<String> after) {
        return page(Queries.of(filter), false, limit, after);
    }

    /**
     * Images, best match of the filter's text first, as {@link WordQueries} ranks them; otherwise as {@link #newest}.
     */
    public ImagePage best(ImageFilter filter, int limit, Optional<String> after) {
        return page(Queries.of(filter), true, limit, after);
    }

    private ImagePage page(Query query, boolean byRelevance, int limit, Optional<String> after) {
        Optional<FieldDoc> start = after.map(Cursor::decode).map(cursor -> cursor.after(byRelevance));
        return search(searcher -> {
            TopFieldCollectorManager collectors = new TopFieldCollectorManager(
                    byRelevance ? BY_RELEVANCE : BY_TIME, limit, start.orElse(null), Integer.MAX_VALUE);
            TopDocs found = searcher.search(query, collectors);
            List<ImageDocument> images = new ArrayList<>();
            for (ScoreDoc hit : found.scoreDocs) {
                images.add(image(searcher, hit));
            }
            boolean full = images.size() == limit;
            return new ImagePage(
                    images,
                    searcher.count(query),
                    full
                            ? Optional.of(Cursor.of((FieldDoc) found.scoreDocs[limit - 1], byRelevance)
                                    .encoded())
                            : Optional.empty());
        });
    }

    /** How many images have a tag of this label. */
    public int imagesWith(String labelId) {
        return search(searcher -> searcher.count(new TermQuery(new Term(Fields.LABEL, labelId))));
    }

    /** How many images there are. */
    public int size() {
        return search(searcher -> searcher.count(new MatchAllDocsQuery()));
    }

    private interface Search<R> {
        R with(IndexSearcher searcher) throws IOException;
    }

    private <R> R search(Search<R> search) {
        try {
            IndexSearcher searcher = searchers.acquire();
            try {
                return search.with(searcher);
            } finally {
                searchers.release(searcher);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the search index in " + directory.getDirectory() + " cannot be read", e);
        }
    }

    private static ImageDocument image(IndexSearcher searcher, ScoreDoc hit) throws IOException {
        return Fields.image(searcher.storedFields().document(hit.doc));
    }

    private static Term id(String imageId) {
        return new Term(Fields.ID, imageId);
    }

    /** Closes without committing: the next start applies the changes since the last commit again. */
    @Override
    public void close() throws IOException {
        searchers.close();
        writer.rollback();
        directory.close();
    }
}
