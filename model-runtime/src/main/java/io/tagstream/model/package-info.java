/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
/**
 * The model runtime's interface: what a caller needs to turn images and label texts into scores.
 *
 * <p>Everything here is plain Java. No Kafka, no Avro (the build enforces it), and no ONNX Runtime type in a public
 * signature, so that callers can put a deterministic fake in a real model's place.
 *
 * <p>Tagging the photos of a folder, without Kafka:
 *
 * <pre>{@code
 * Bundle bundle = Bundle.load("classpath:io/tagstream/bundles/everyday");
 * FetchOptions fetch = FetchOptions.builder().fileRoots(List.of(folder)).build();
 * try (ModelRuntime runtime = OnnxModelRuntime.builder(bundle).fetch(fetch).build()) {
 *     List<LabelVector> vectors = new ArrayList<>();
 *     for (String name : names) {
 *         vectors.add(runtime.encodeLabel(new LabelText(name, List.of())));
 *     }
 *     LabelVectors labels = new DirectLabelVectors(vectors);
 *     ImageRequest request = new ImageRequest(photo.toUri().toString(), Optional.empty());
 *     // empty when there is no room: wait for an image in flight to complete, then try again
 *     CompletableFuture<ImageScores<LabelVectors>> future =
 *             runtime.trySubmit(request, () -> labels).orElseThrow();
 *     float[] scores = future.get().scores();
 *     for (int label = 0; label < scores.length; label++) {
 *         if (scores[label] >= runtime.description().defaultThreshold()) {
 *             tags.add(names.get(label));
 *         }
 *     }
 * }
 * }</pre>
 *
 * <p><b>Set {@code ORT_DISABLE_TELEMETRY=1} in the environment of your process</b>: without it ONNX Runtime reports to its
 * maker; see {@link io.tagstream.model.Telemetry}.
 */
package io.tagstream.model;
