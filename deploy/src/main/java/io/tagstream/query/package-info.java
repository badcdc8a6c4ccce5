/** What can be asked about the images that Tagstream knows, whoever answers it. No Kafka and no HTTP here. */
package io.tagstream.query;
