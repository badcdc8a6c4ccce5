/**
 * Decoding in child processes: their pool, the children's main class, and the conversation between the two. What a child
 * says is not trusted.
 */
package io.tagstream.model.image.isolated;
