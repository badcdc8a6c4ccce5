/**
 * A broker and a schema registry inside this process, for local mode, the benchmarks and tests: {@link
 * io.tagstream.local.broker.EmbeddedBroker} and {@link io.tagstream.local.registry.LocalRegistry}. Both listen only on
 * the loopback address and keep their data in the broker's directory. Nothing here knows about images, labels or tags.
 */
package io.tagstream.local.registry;
