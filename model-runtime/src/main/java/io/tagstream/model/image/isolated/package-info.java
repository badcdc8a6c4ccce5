/**
 * Decoding in child processes: their pool, their main class, and the conversation between parent and child. The parent
 * does not trust what a child says.
 */
package io.tagstream.model.image.isolated;
