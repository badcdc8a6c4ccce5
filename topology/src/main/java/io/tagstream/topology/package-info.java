/**
 * The Kafka Streams topologies: the label encoder and the tagging topology, as factories of plain {@code Topology}
 * objects, and the code that runs them. Only the interface of the model runtime is known here (the build enforces it).
 */
package io.tagstream.topology;
