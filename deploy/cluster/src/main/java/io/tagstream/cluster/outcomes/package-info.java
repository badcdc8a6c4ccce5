/** Reads what became of images: their tags, failures and deletions. */
package io.tagstream.cluster.outcomes;
