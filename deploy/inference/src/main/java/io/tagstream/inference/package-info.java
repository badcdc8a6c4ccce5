/** Builds the model runtime that the configuration describes. */
package io.tagstream.inference;
