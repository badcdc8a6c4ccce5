/**
 * The model bundle: its description, its files, and every check that needs no inference. What the graphs compute is
 * checked where they run, in {@link io.tagstream.model.onnx}.
 */
package io.tagstream.model.bundle;
