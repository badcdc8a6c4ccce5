/**
 * A broker and a schema registry inside this process, for the local mode, the benchmark and tests: {@link
 * io.tagstream.local.broker.EmbeddedBroker} and {@link io.tagstream.local.registry.LocalRegistry}. Both listen on the loopback address
 * only and keep what they know in the broker's directory. Nothing here knows of images, labels or tags.
 */
package io.tagstream.local.registry;
