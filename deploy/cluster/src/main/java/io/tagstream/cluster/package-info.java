/**
 * What a client of Tagstream's topics needs: settings, topics and their checks, labels, failures, outcomes. No model and
 * no command line here.
 */
package io.tagstream.cluster;
