/** The command line: the options of each command, and the exit code it ends with. Other packages do the work. */
package io.tagstream.cli;
