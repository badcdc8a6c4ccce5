/**
 * The index feed: keeps an index of a search server equal to the tags topic. It reads Kafka and writes to the server; it
 * knows nothing of models, and the topologies know nothing of it.
 */
package io.tagstream.feed;
