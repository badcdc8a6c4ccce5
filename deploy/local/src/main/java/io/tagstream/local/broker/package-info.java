/**
 * A Kafka broker inside this process, for local mode, the benchmarks and tests. It listens only on the loopback address
 * and keeps its data in a directory. Nothing here knows of schemas, images, labels or tags.
 */
package io.tagstream.local.broker;
