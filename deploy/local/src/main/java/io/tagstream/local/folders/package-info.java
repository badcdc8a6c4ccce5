/** The images that a command was pointed at: which there are, what they are called, and how they change. */
package io.tagstream.local.folders;
