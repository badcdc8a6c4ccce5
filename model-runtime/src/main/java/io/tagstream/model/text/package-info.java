/**
 * From label texts to label vectors: prompts, tokens, vectors, reference statistics. The text graph itself runs
 * elsewhere.
 */
package io.tagstream.model.text;
