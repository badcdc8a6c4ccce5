/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import io.tagstream.model.ImageException;
import io.tagstream.model.ImageFeatures;
import io.tagstream.model.ImageRequest;
import io.tagstream.model.LabelVectors;
import io.tagstream.model.batch.Device;
import io.tagstream.model.batch.Stages;
import io.tagstream.model.image.EncodedImage;
import io.tagstream.model.image.ImageSize;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;

/** Stages whose model takes a multiple of its normal time. */
final class SlowedStages implements Stages {
    private final Stages stages;
    private final int factor;
    private final List<Device> devices;

    SlowedStages(Stages stages, int factor) {
        this.stages = stages;
        this.factor = factor;
        this.devices = stages.devices().stream()
                .map(device -> (Device) new SlowedDevice(device))
                .toList();
    }

    private <T> T slowed(Callable<T> work) throws Exception {
        long began = System.nanoTime();
        T result = work.call();
        TimeUnit.NANOSECONDS.sleep((factor - 1) * (System.nanoTime() - began));
        return result;
    }

    private final class SlowedDevice implements Device {
        private final Device device;

        SlowedDevice(Device device) {
            this.device = device;
        }

        @Override
        public String name() {
            return device.name();
        }

        @Override
        public void load(List<ByteBuffer> pixels) {
            device.load(pixels);
        }

        @Override
        public List<ImageFeatures> encode(int images) throws Exception {
            return slowed(() -> device.encode(images));
        }

        @Override
        public float[][] score(List<ImageFeatures> images, LabelVectors labels) throws Exception {
            return slowed(() -> device.score(images, labels));
        }

        @Override
        public void probe() throws Exception {
            device.probe();
        }
    }

    @Override
    public List<Device> devices() {
        return devices;
    }

    @Override
    public int featureBytes() {
        return stages.featureBytes();
    }

    @Override
    public int imagesPerPart(LabelVectors labels) {
        return stages.imagesPerPart(labels);
    }

    @Override
    public String source(ImageRequest request) {
        return stages.source(request);
    }

    @Override
    public EncodedImage fetch(ImageRequest request, Duration longest) throws ImageException, InterruptedException {
        return stages.fetch(request, longest);
    }

    @Override
    public int pixelBytes() {
        return stages.pixelBytes();
    }

    @Override
    public ImageSize decode(EncodedImage image, ByteBuffer target) throws ImageException, InterruptedException {
        return stages.decode(image, target);
    }
}
