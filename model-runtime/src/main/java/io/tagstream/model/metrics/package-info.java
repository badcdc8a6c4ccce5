/** How metrics are declared. What they measure is declared where it is measured. */
package io.tagstream.model.metrics;
