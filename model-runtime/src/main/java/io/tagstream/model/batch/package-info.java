/**
 * The machinery between callers and the model: room, stages and their threads, batches, cancellation, closing. It does
 * not know what the stages do: there is no ONNX Runtime and no OpenCV here.
 */
package io.tagstream.model.batch;
