/** The command {@code tagstream run}, and the commands that ask a running instance. */
package io.tagstream.instance;
