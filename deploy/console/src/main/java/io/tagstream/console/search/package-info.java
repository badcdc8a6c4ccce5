/**
 * A search index of the tags topic inside this process: one document per image, and the latest record wins. Only this
 * package uses Lucene.
 */
package io.tagstream.console.search;
