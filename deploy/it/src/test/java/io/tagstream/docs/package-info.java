/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
/**
 * Holds the README and the pages of {@code deploy/docs} to what they say: their commands run as printed, and their links
 * lead somewhere.
 *
 * <p>A page is run as its reader would run it: in the repository's root, with a home directory that has some
 * {@code ~/Pictures}, block after block, in one shell's environment. An HTML comment directly above a block says what
 * the page's text does not ({@link io.tagstream.docs.Mark}).
 */
package io.tagstream.docs;
