/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.local.folders;

import java.net.URI;
import java.nio.file.Path;
import java.util.Optional;

/**
 * An image and its id.
 *
 * @param id the image id, see {@link ImageSelection}
 * @param uri where its bytes are
 * @param file the file, if it is a local one
 */
public record NamedImage(String id, URI uri, Optional<Path> file) {}
