/**
 * The tagging topology: accepts image references, keeps each until its outcome is written, and has them scored by the
 * shared model runtime, asynchronously, in batches, exactly once.
 */
package io.tagstream.topology.tagging;
