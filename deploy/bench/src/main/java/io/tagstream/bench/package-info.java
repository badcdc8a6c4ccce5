/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
/**
 * Benchmarks that anyone can run: ratios of things that are measured in turn, in one run. What is compared must have done
 * the same work; a benchmark that finds otherwise fails.
 */
package io.tagstream.bench;
