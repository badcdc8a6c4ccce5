/** Questions about known images, asked of every instance. */
package io.tagstream.console.peers;
