# Copyright the Tagstream authors.
#
# Licensed under the Apache License, Version 2.0; see the LICENSE file.
"""Confluent's Python client against Tagstream's topics: reads any of them, or submits an image.

    avro_client.py BOOTSTRAP REGISTRY_URL read TOPIC COUNT   committed records as JSON lines {"key", "value"}
    avro_client.py BOOTSTRAP REGISTRY_URL submit TOPIC ID URI
"""

import json
import sys
import time

from confluent_kafka import Consumer, Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

PATIENCE_SECONDS = 60


def read(bootstrap, registry, topic, count):
    deserialize = AvroDeserializer(registry)
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "avro-client",
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe([topic])
    deadline = time.monotonic() + PATIENCE_SECONDS
    found = 0
    try:
        while found < count:
            if time.monotonic() > deadline:
                sys.exit(f"read only {found} of {count} records of {topic} in {PATIENCE_SECONDS} s")
            message = consumer.poll(0.2)
            if message is None:
                continue
            if message.error():
                sys.exit(str(message.error()))
            value = deserialize(message.value(), SerializationContext(topic, MessageField.VALUE))
            key = None if message.key() is None else message.key().decode()
            print(json.dumps({"key": key, "value": value}, default=str))
            found += 1
    finally:
        consumer.close()


def submit(bootstrap, registry, topic, image_id, uri):
    schema = registry.get_latest_version(f"{topic}-value").schema
    serialize = AvroSerializer(registry, schema, conf={"auto.register.schemas": False, "use.latest.version": True})
    reference = {"uri": uri, "contentType": None, "sha256": None, "attributes": {"from": "python"}, "submittedAt": None}
    producer = Producer({"bootstrap.servers": bootstrap})
    value = serialize(reference, SerializationContext(topic, MessageField.VALUE))
    producer.produce(topic, key=image_id.encode(), value=value)
    if producer.flush(PATIENCE_SECONDS):
        sys.exit(f"the record was not acknowledged within {PATIENCE_SECONDS} s")


def main(bootstrap, registry_url, command, *arguments):
    registry = SchemaRegistryClient({"url": registry_url})
    if command == "read":
        read(bootstrap, registry, arguments[0], int(arguments[1]))
    elif command == "submit":
        submit(bootstrap, registry, *arguments)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
