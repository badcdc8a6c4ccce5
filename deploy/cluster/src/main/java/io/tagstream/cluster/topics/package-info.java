/** What Tagstream requires of a Kafka cluster before it starts: that it answers, and that it has the right topics. */
package io.tagstream.cluster.topics;
