"""The procedure that elysia-runbook replaces, as plain httpx calls: no backup, no proof, no waiting.

Export, count, delete, create with factor 3, ask each node. For comparing times only: on a cluster
with a fault it loses data. Takes the addresses of the nodes as arguments.
"""

import sys

import httpx

NODES = sys.argv[1:]
CLASS = "ELYSIA_CONFIG__"

first = NODES[0]
answer = httpx.get(f"{first}/v1/schema/{CLASS}")
answer.raise_for_status()
schema = answer.json()

query = "{ Aggregate { %s { meta { count } } } }" % CLASS
answer = httpx.post(f"{first}/v1/graphql", json={"query": query})
answer.raise_for_status()
if answer.json()["data"]["Aggregate"][CLASS][0]["meta"]["count"] > 0:
    sys.exit("the class holds objects")

httpx.delete(f"{first}/v1/schema/{CLASS}").raise_for_status()
schema["replicationConfig"]["factor"] = 3
httpx.post(f"{first}/v1/schema", json=schema, timeout=30.0).raise_for_status()

present = [node for node in NODES if httpx.get(f"{node}/v1/schema/{CLASS}").status_code == 200]
print(f"present on {len(present)}/{len(NODES)} nodes")
sys.exit(len(present) != len(NODES))
