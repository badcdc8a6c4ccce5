/**
 * From a URI to the model's pixels: fetching, the limits on it, image formats, decoding, resizing. Nothing of the model
 * but its input size and resize rule.
 */
package io.tagstream.model.image;
