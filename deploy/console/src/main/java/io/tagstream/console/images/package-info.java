/** The console's images: the uploads that it accepts, and the thumbnails that it makes. */
package io.tagstream.console.images;
