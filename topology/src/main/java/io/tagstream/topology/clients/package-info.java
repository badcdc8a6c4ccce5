/**
 * The Kafka clients that the topologies run with: what they add to Kafka's own to hold back input, to leave a group, and
 * to tell failures that pass from those that do not.
 */
package io.tagstream.topology.clients;
