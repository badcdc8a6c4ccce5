/**
 * The machinery between callers and the model: room, stages and their threads, batches, cancellation, closing. It knows
 * stages, not what they do: no ONNX Runtime and no OpenCV here.
 */
package io.tagstream.model.batch;
