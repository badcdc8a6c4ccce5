/**
 * What the HTTP servers stand on: how many requests are worked on at a time, and how large and how slow clients may be.
 * It knows paths, but nothing of what is served under them.
 */
package io.tagstream.operations.http;
