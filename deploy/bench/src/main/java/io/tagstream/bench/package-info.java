/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
/**
 * Benchmarks that anyone can run. They report ratios of things that are measured in turn, in one run. The things
 * compared must have done the same work; otherwise, the benchmark fails.
 */
package io.tagstream.bench;
