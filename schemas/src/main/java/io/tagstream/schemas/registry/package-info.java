/**
 * The schema registry as the serde needs it, and Confluent's genuine client behind it. That client comes inside a shaded
 * jar; this package is the only one that may import it (the build enforces that).
 *
 * <p>Who is to blame decides the exception, because a stream drops a record into the dead letters for one and stops or
 * waits for the other:
 *
 * <table>
 *   <caption>Failures</caption>
 *   <tr><th>What happened</th><th>Exception</th></tr>
 *   <tr><td>the registry answers that it does not know the id, or the id is of a schema that is no Avro</td>
 *       <td>{@link org.apache.kafka.common.errors.SerializationException}: the record is at fault</td></tr>
 *   <tr><td>no connection, a timeout, a TLS failure, 408, 429, 5xx, or an answer that no registry gives</td>
 *       <td>{@link io.tagstream.schemas.registry.RegistryUnavailableException}: retriable, no record is at fault</td></tr>
 *   <tr><td>401</td><td>{@link org.apache.kafka.common.errors.AuthenticationException}: neither; waiting does not help</td></tr>
 *   <tr><td>403</td><td>{@link org.apache.kafka.common.errors.AuthorizationException}: the same</td></tr>
 *   <tr><td>a schema that the registry refuses (409 incompatible, 422 invalid)</td>
 *       <td>{@link org.apache.kafka.common.errors.InvalidConfigurationException}: the same</td></tr>
 * </table>
 */
package io.tagstream.schemas.registry;
