/**
 * What happens on Tagstream's topics, as it happens. One follower in each process reads the topics, keeps what the
 * console shows, and tells the listeners.
 */
package io.tagstream.console.live;
