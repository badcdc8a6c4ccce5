/**
 * From a URI to the model's pixels: fetching and its limits, image formats, decoding, resizing. All that this package
 * knows of the model is its input size and resize rule.
 */
package io.tagstream.model.image;
