/** Queries about the images that Tagstream knows, whoever answers them. No Kafka here. */
package io.tagstream.topology.query;
