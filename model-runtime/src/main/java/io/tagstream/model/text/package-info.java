/** Label texts to label vectors: prompts, tokens, vectors, reference statistics. The text graph runs elsewhere. */
package io.tagstream.model.text;
