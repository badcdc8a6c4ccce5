/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
/**
 * What has failed on a cluster, for the commands that list it and submit it again. Nothing here knows of the command
 * line.
 */
package io.tagstream.cluster.failures;
