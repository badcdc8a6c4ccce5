/**
 * Tests against real clusters. {@link io.tagstream.it.TestCluster} is the one place where they get a broker and a
 * registry from: in this JVM, or in containers with {@code -Dit.environment=containers}.
 */
package io.tagstream.it;
