/**
 * Tests against real clusters. They get their broker and registry only from {@link io.tagstream.it.TestCluster}: in
 * this JVM, or in containers with {@code -Dit.environment=containers}.
 */
package io.tagstream.it;
