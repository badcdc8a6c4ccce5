/** The images that a command is given: which ones exist, what they are called, and how they change. */
package io.tagstream.local.folders;
