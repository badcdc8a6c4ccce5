/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.console.live;

/**
 * What the {@link TopicFollower} keeps up to date beside the search index.
 *
 * @param vocabulary the labels of the vocabulary topic
 * @param failures images that failed lately
 * @param events tells browsers what has happened
 */
public record LiveViews(VocabularyView vocabulary, FailureView failures, EventHub events) {
    /** Views that know nothing yet, without listeners. */
    public LiveViews() {
        this(new VocabularyView(), new FailureView(), new EventHub());
    }
}
