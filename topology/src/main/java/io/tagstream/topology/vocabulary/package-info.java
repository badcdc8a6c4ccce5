/**
 * The label vocabulary as the tagging topology sees it: a sequence of immutable snapshots, one per marker, read from
 * the label-embeddings topic. Nothing here writes to Kafka.
 */
package io.tagstream.topology.vocabulary;
