/** The command line: what each command takes, and the exit code it ends with. The work is done elsewhere. */
package io.tagstream.cli;
