/**
 * A schema registry inside this process, for local mode, the benchmarks and tests. It speaks Confluent's API, listens only
 * on the loopback address, and keeps its schemas in a topic of any Kafka cluster. Nothing here knows of images, labels or
 * tags.
 */
package io.tagstream.local.registry;
