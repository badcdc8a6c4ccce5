/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import org.opencv.core.Mat;

/**
 * A decoded picture.
 *
 * @param pixels grey, BGR or BGRA, of 8 or 16 bits a sample
 * @param alpha what the fourth channel means, if there are four
 * @param reduction by how much (8, 4, 2 or 1) to reduce it first
 */
record Picture(Mat pixels, Alpha alpha, int reduction) {}
