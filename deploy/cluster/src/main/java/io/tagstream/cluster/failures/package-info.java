/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
/**
 * The failures on a cluster, for the commands that list them and submit them again. Nothing here depends on the command
 * line.
 */
package io.tagstream.cluster.failures;
