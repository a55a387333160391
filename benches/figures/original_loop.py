"""What the original tool did to verify a cluster: each node is asked for each class, one after the
other, and each class is counted. For comparing times only: every node answers with the leader's
schema, so it sees nothing of what can be wrong.

Arguments: `fresh` (a connection for each request, as the original's `httpx.get`) or `kept` (one for
all), then the addresses of the nodes. Prints how many requests it sent.
"""

import sys

import httpx

how, nodes = sys.argv[1], sys.argv[2:]
http = httpx.Client() if how == "kept" else httpx
requests = 0


def get(url):
    global requests
    requests += 1
    answer = http.get(url, timeout=30.0)
    answer.raise_for_status()
    return answer


for name in sorted(each["class"] for each in get(f"{nodes[0]}/v1/schema").json()["classes"]):
    present = [node for node in nodes if get(f"{node}/v1/schema/{name}").status_code == 200]
    query = "{ Aggregate { %s { meta { count } } } }" % name
    requests += 1
    answer = http.post(f"{nodes[0]}/v1/graphql", json={"query": query}, timeout=30.0)
    count = answer.json()["data"]["Aggregate"][name][0]["meta"]["count"]
    if len(present) < len(nodes) or count is None:
        sys.exit(f"{name} is on {len(present)}/{len(nodes)} nodes")
print(requests)
