/*
 * Copyright the Tagstream authors.
 *
 * Licensed under the Apache License, Version 2.0; see the LICENSE file.
 */
package io.tagstream.bench;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/**
 * Writes small ONNX graphs, in the format of {@code onnx.proto3}: nodes, weights, inputs and outputs. Numbers in the
 * code are the fields' numbers there.
 */
final class OnnxGraph {
    /** ONNX's element types. */
    enum Type {
        FLOAT(1),
        UINT8(2),
        INT64(7),
        FLOAT16(10);

        private final int number;

        Type(int number) {
            this.number = number;
        }

        int number() {
            return number;
        }
    }

    private static final int IR_VERSION = 8;
    private static final int OPSET = 17;
    private static final int INT_ATTRIBUTE = 2;
    private static final int LENGTH_DELIMITED = 2;

    private final Message graph = new Message();

    /** An empty graph. */
    OnnxGraph(String name) {
        graph.text(2, name);
    }

    /** A dimension is a number, or a name if it is free. */
    OnnxGraph input(String name, Type type, Object... shape) {
        graph.message(11, value -> describe(value, name, type, shape));
        return this;
    }

    OnnxGraph output(String name, Type type, Object... shape) {
        graph.message(12, value -> describe(value, name, type, shape));
        return this;
    }

    OnnxGraph weights(String name, float[] values, long... shape) {
        ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return weights(name, Type.FLOAT, bytes.array(), shape);
    }

    OnnxGraph weights(String name, long[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asLongBuffer().put(values);
        return weights(name, Type.INT64, bytes.array(), values.length);
    }

    private OnnxGraph weights(String name, Type type, byte[] bytes, long... shape) {
        graph.message(5, tensor -> {
            for (long dimension : shape) {
                tensor.number(1, dimension);
            }
            tensor.number(2, type.number()).text(8, name).bytes(9, bytes);
        });
        return this;
    }

    OnnxGraph node(String operator, List<String> inputs, String output) {
        return node(operator, inputs, output, attributes -> {});
    }

    /** The same with a whole-numbered attribute. */
    OnnxGraph node(String operator, List<String> inputs, String output, String attribute, long value) {
        return node(
                operator,
                inputs,
                output,
                node -> node.message(
                        5, of -> of.text(1, attribute).number(3, value).number(20, INT_ATTRIBUTE)));
    }

    private OnnxGraph node(String operator, List<String> inputs, String output, Consumer<Message> attributes) {
        graph.message(1, node -> {
            inputs.forEach(input -> node.text(1, input));
            node.text(2, output).text(4, operator);
            attributes.accept(node);
        });
        return this;
    }

    /** The model's file. */
    byte[] toBytes() {
        Message model = new Message();
        model.number(1, IR_VERSION).bytes(7, graph.toBytes()).message(8, opset -> opset.number(2, OPSET));
        return model.toBytes();
    }

    private static void describe(Message value, String name, Type type, Object... shape) {
        value.text(1, name)
                .message(
                        2,
                        typed -> typed.message(
                                1,
                                tensor -> tensor.number(1, type.number())
                                        .message(
                                                2,
                                                dimensions -> Arrays.stream(shape)
                                                        .forEach(dimension -> dimensions.message(1, of -> {
                                                            if (dimension instanceof String free) {
                                                                of.text(2, free);
                                                            } else {
                                                                of.number(1, ((Number) dimension).longValue());
                                                            }
                                                        })))));
    }

    /** A message in protocol buffers' binary format. */
    private static final class Message {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        Message number(int field, long value) {
            varint((long) field << 3);
            varint(value);
            return this;
        }

        Message text(int field, String value) {
            return bytes(field, value.getBytes(StandardCharsets.UTF_8));
        }

        Message message(int field, Consumer<Message> content) {
            Message inner = new Message();
            content.accept(inner);
            return bytes(field, inner.toBytes());
        }

        Message bytes(int field, byte[] value) {
            varint(((long) field << 3) | LENGTH_DELIMITED);
            varint(value.length);
            bytes.writeBytes(value);
            return this;
        }

        private void varint(long value) {
            long left = value;
            while ((left & ~0x7FL) != 0) {
                bytes.write((int) ((left & 0x7F) | 0x80));
                left >>>= 7;
            }
            bytes.write((int) left);
        }

        byte[] toBytes() {
            return bytes.toByteArray();
        }
    }
}
