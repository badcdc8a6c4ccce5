/**
 * The console: one page over the API, all of its files from this jar and its libraries', and what guards both against
 * other people's pages. The page's own files are resources of this package.
 */
package io.tagstream.console;
