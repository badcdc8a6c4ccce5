/**
 * A search index of the tags topic inside this process: one document an image, the latest record wins. Lucene is used
 * here and nowhere else.
 */
package io.tagstream.console.search;
