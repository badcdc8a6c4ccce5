/**
 * Records as the topologies read and write them: serdes, ids, the largest size, dead letters, and whom an exception is to
 * blame on.
 */
package io.tagstream.topology.records;
