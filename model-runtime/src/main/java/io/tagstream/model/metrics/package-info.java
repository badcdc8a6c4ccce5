/** How metrics are declared. Each module declares its own metrics. */
package io.tagstream.model.metrics;
