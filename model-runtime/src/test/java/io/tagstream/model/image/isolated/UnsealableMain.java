/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.model.image.isolated;

/** A decoder process on a processor for which there is no sandbox. */
public final class UnsealableMain {
    private UnsealableMain() {}

    public static void main(String[] arguments) throws Exception {
        System.setProperty("os.arch", "z80");
        DecoderMain.main(arguments);
    }
}
