/** Where configuration comes from: file, environment and flags. What the keys mean is the topology's to say. */
package io.tagstream.cluster.settings;
