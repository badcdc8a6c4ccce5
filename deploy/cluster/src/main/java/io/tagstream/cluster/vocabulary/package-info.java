/** Vocabularies as people write them, and how they get into the vocabulary's topic. */
package io.tagstream.cluster.vocabulary;
