/** Vocabularies as people write them, and their way into the vocabulary's topic. */
package io.tagstream.cluster.vocabulary;
