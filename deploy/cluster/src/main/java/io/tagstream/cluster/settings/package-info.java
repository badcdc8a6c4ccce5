/** Where configuration comes from: file, environment and flags. The topology defines what the keys mean. */
package io.tagstream.cluster.settings;
