/**
 * The Kafka Streams topologies: the label encoder and the tagging topology, as factories of plain {@code Topology}
 * objects, and what runs them. Of the model runtime only its interface is known here (the build enforces it).
 */
package io.tagstream.topology;
