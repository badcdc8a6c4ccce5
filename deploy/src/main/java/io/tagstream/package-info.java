/** The runnable: command line, local mode, and the wiring of model, topology and cluster. */
package io.tagstream;
