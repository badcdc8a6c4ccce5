/**
 * Converts Tagstream's Avro contracts to bytes and back. {@link io.tagstream.schemas.AvroSerde} is for topics that
 * others read and write (Confluent's wire format, schemas in a registry). {@link io.tagstream.schemas.StateSerde} is
 * for state stores and internal topics (Avro's single-object encoding, no registry). The contracts' generated classes
 * are in {@code io.tagstream.avro} and {@code io.tagstream.avro.state}.
 *
 * <p>Nothing here knows a topic's name or a registry's client: the topology knows the names, and
 * {@link io.tagstream.schemas.registry} hides the client.
 */
package io.tagstream.schemas;
