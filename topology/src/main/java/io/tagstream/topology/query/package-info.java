/** What can be asked about the images that Tagstream knows, whoever answers it. No Kafka here. */
package io.tagstream.topology.query;
