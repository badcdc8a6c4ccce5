/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image;

import java.nio.ByteBuffer;
import java.util.Arrays;

/** Which coefficients of a JPEG the scans so far have brought, and to which bit (ITU-T T.81, annex G). */
final class JpegProgress {
    private static final int COEFFICIENTS = 64;
    private static final int MISSING = 16;

    private final int[] components;
    private final int[][] lowestBits;

    /** @param components the identifiers that the frame header gives them */
    JpegProgress(int[] components) {
        this.components = components;
        this.lowestBits = new int[components.length][COEFFICIENTS];
        for (int[] bits : lowestBits) {
            Arrays.fill(bits, MISSING);
        }
    }

    /** Adds a scan, whose header's length stands at {@code position}. */
    void add(ByteBuffer jpeg, int position) {
        int count = jpeg.get(position + 2) & 0xFF;
        int selection = position + 3 + 2 * count;
        int first = jpeg.get(selection) & 0xFF;
        int last = Math.min(jpeg.get(selection + 1) & 0xFF, COEFFICIENTS - 1);
        int lowestBit = jpeg.get(selection + 2) & 0x0F;
        for (int i = 0; i < count; i++) {
            int component = jpeg.get(position + 3 + 2 * i) & 0xFF;
            for (int k = 0; k < components.length; k++) {
                if (components[k] == component && first <= last) {
                    Arrays.fill(lowestBits[k], first, last + 1, lowestBit);
                }
            }
        }
    }

    /** Whether all coefficients of all components are there to their last bit. */
    boolean isComplete() {
        return Arrays.stream(lowestBits).flatMapToInt(Arrays::stream).allMatch(bit -> bit == 0);
    }
}
