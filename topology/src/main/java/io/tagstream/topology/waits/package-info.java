/** What images wait for: the reasons, what to do about each, and which partitions have which. */
package io.tagstream.topology.waits;
