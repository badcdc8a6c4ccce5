/** The HTTP API: images, search, the vocabulary, explanations and progress. openapi.yaml describes it. */
package io.tagstream.console.api;
