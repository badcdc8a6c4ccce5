/**
 * The basis of the HTTP servers: it limits how many requests are worked on at a time, how large they may be, and how
 * slow clients may be. It knows paths, but not what is served under them.
 */
package io.tagstream.operations.http;
