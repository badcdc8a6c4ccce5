/**
 * The label encoder: a topology of its own, so that a text is encoded once per cluster and encoding never stalls
 * images. Reads label-vocabulary, writes label-embeddings.
 */
package io.tagstream.topology.labels;
