/**
 * The command {@code tagstream local}: broker, schema registry, topology and model in one process, with the images of a
 * folder as input, and one line per image as output.
 */
package io.tagstream.local;
