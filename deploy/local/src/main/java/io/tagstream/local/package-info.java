/**
 * The command {@code tagstream local}: broker, schema registry, topology and model in one process, the images of a
 * folder going in, and a line an image coming out.
 */
package io.tagstream.local;
