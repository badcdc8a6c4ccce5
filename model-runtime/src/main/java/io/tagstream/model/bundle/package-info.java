/**
 * The model bundle: its description, its files, and every check that needs no inference.
 * {@link io.tagstream.model.onnx} runs the graphs and checks what they compute.
 */
package io.tagstream.model.bundle;
