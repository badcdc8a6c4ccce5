/** The directory with this process's copies of its stores: what can be wrong with it, and what to do about it. */
package io.tagstream.topology.state;
