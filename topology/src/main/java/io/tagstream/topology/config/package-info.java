/** The topologies' configuration keys, and the Kafka Streams settings that follow from them. */
package io.tagstream.topology.config;
