/**
 * The model on ONNX Runtime: sessions, execution providers, scoring, and
 * {@link io.tagstream.model.onnx.OnnxModelRuntime}, the implementation of {@link io.tagstream.model.ModelRuntime}.
 */
package io.tagstream.model.onnx;
