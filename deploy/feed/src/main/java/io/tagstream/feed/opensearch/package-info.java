/**
 * The index feed's target for OpenSearch and Elasticsearch. Of the feed, only this package knows the server's client.
 */
package io.tagstream.feed.opensearch;
