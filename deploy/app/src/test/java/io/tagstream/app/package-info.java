/** Tests of what all modules make together: the launcher, the pages generated from code, and who may know whom. */
package io.tagstream.app;
