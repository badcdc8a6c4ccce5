/**
 * What happens on Tagstream's topics, as it happens: read by one follower a process, kept as far as people ask for it, and
 * told to whoever listens.
 */
package io.tagstream.console.live;
