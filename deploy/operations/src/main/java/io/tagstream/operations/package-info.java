/** What operators look at: metrics and their page, health. Nothing here changes what is tagged. */
package io.tagstream.operations;
