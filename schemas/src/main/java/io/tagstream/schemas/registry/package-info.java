/**
 * The schema registry as the serde needs it, with Confluent's genuine client behind it. The client comes in a shaded
 * jar; only this package may import it, which the build enforces.
 *
 * <p>The exception says who is at fault: if it is the record, a stream sends the record to the dead letters; if it is
 * the registry, the stream stops or waits.
 *
 * <table>
 *   <caption>Failures</caption>
 *   <tr><th>What happened</th><th>Exception</th></tr>
 *   <tr><td>the registry answers that it does not know the id, or the id's schema is not Avro</td>
 *       <td>{@link org.apache.kafka.common.errors.SerializationException}: the record is at fault</td></tr>
 *   <tr><td>no connection, a timeout, a TLS failure, 408, 429, 5xx, or an answer that a registry would not give</td>
 *       <td>{@link io.tagstream.schemas.registry.RegistryUnavailableException}: retriable, no record is at fault</td></tr>
 *   <tr><td>401</td><td>{@link org.apache.kafka.common.errors.AuthenticationException}: neither; waiting does not help</td></tr>
 *   <tr><td>403</td><td>{@link org.apache.kafka.common.errors.AuthorizationException}: the same</td></tr>
 *   <tr><td>a schema that the registry refuses (409 incompatible, 422 invalid)</td>
 *       <td>{@link org.apache.kafka.common.errors.InvalidConfigurationException}: the same</td></tr>
 * </table>
 */
package io.tagstream.schemas.registry;
