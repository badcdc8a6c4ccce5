/**
 * The console: a single page on top of the API, and the checks that guard both against other people's pages. All of the
 * page's files come from this jar and its libraries' jars. The page's own files are resources of this package.
 */
package io.tagstream.console;
