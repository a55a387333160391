"""Imports or exports a class with weaviate-client, and prints what it took as JSON.

client.py import|export HTTP-PORT GRPC-PORT CLASS OBJECTS
"""

import json
import random
import resource
import sys
import time
import uuid
import warnings

warnings.simplefilter("ignore")

import weaviate
from weaviate.classes.config import Configure, ConsistencyLevel, DataType, Property

DIMENSIONS = 768


def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def vectors():
    rng = random.Random(7)
    some = [[rng.random() for _ in range(DIMENSIONS)] for _ in range(2000)]
    n = 0
    while True:
        one, turn = some[n % len(some)], n // len(some) % DIMENSIONS
        yield one[turn:] + one[:turn]
        n += 1


what, port, grpc, name, count = sys.argv[1], *sys.argv[2:6]
client = weaviate.connect_to_local(port=int(port), grpc_port=int(grpc), skip_init_checks=True)
if what == "import":
    client.collections.create(
        name,
        properties=[
            Property(name="title", data_type=DataType.TEXT),
            Property(name="number", data_type=DataType.INT),
        ],
        vector_config=Configure.Vectors.self_provided(),
        replication_config=Configure.replication(factor=3),
    )
    objects = client.collections.use(name).with_consistency_level(ConsistencyLevel.ALL)
    time.sleep(1)
    made = vectors()
    ready = [(n, next(made)) for n in range(int(count))]
    began, used = time.time(), cpu()
    with objects.batch.dynamic() as batch:
        for n, vector in ready:
            properties = {"title": f"the title of object {n}", "number": n}
            batch.add_object(properties, uuid=uuid.uuid5(uuid.NAMESPACE_URL, str(n)), vector=vector)
    assert not objects.batch.failed_objects
    seen = int(count)
else:
    objects = client.collections.use(name)
    began, used = time.time(), cpu()
    seen = sum(1 for _ in objects.iterator(include_vector=True))
print(json.dumps({"objects": seen, "seconds": time.time() - began, "cpu": cpu() - used}))
client.close()
