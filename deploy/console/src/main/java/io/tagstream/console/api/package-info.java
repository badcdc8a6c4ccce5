/** The API over HTTP: images, search, the vocabulary, why and how far. Its description is openapi.yaml. */
package io.tagstream.console.api;
