/** What operators look at: metrics and their page, and health. Nothing here changes how images are tagged. */
package io.tagstream.operations;
