"""What Qdrant's REST interface says, in the words of qdrant-edge, and back. `front.py` follows in the same program."""

import os
import sys

wheel, data, port = sys.argv[1], os.path.join(sys.argv[2], "collections"), int(sys.argv[3])
sys.path.insert(0, wheel)
import qdrant_edge as edge  # noqa: E402


class Refused(Exception):
    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


def known(body, *names):
    """Refuses what would have an effect in Qdrant, and would have none here."""
    for name, value in body.items():
        if value is not None and name not in names:
            raise Refused(501, f"Not implemented: {name} is not to be had from qdrant-edge")
    return {name: body.get(name) for name in names}


def given(**values):
    return {name: value for name, value in values.items() if value is not None}


def filter_of(body):
    if body is None:
        return None
    parts = known(body, "must", "should", "must_not")
    lists = {name: value if isinstance(value, list) else [value] for name, value in given(**parts).items()}
    return edge.Filter(**{name: [condition_of(each) for each in value] for name, value in lists.items()})


def condition_of(body):
    if body.keys() & {"must", "should", "must_not"}:
        return filter_of(body)
    if "has_id" in body:
        return edge.HasIdCondition(set(body["has_id"]))
    if "is_empty" in body:
        return edge.IsEmptyCondition(body["is_empty"]["key"])
    if "is_null" in body:
        return edge.IsNullCondition(body["is_null"]["key"])
    if "nested" in body:
        return edge.NestedCondition(body["nested"]["key"], filter_of(body["nested"]["filter"]))
    parts = known(body, "key", "match", "range")
    match, bounds = parts["match"], parts["range"]
    return edge.FieldCondition(parts["key"], **given(match=match and match_of(match), range=bounds and range_of(bounds)))


def match_of(body):
    ((kind, value),) = body.items()
    if isinstance(value, bool):
        # It would be taken for a number, and nothing be found.
        raise Refused(501, "Not implemented: a match with a boolean is not to be had from qdrant-edge")
    kinds = {
        "value": edge.MatchValue,
        "any": edge.MatchAny,
        "except": edge.MatchExcept,
        "text": edge.MatchText,
        "phrase": edge.MatchPhrase,
    }
    known(body, *kinds)
    return kinds[kind](value)


def range_of(body):
    bounds = given(**known(body, "gt", "gte", "lt", "lte"))
    dates = any(isinstance(value, str) for value in bounds.values())
    return (edge.RangeDateTime if dates else edge.RangeFloat)(**bounds)


def vector_of(body):
    if isinstance(body, dict):
        if body.keys() == {"indices", "values"}:
            return edge.SparseVector(body["indices"], body["values"])
        return {name: vector_of(value) for name, value in body.items()}
    return body


def plain(vector):
    if isinstance(vector, dict):
        return {name: plain(value) for name, value in vector.items()}
    if isinstance(vector, edge.SparseVector):
        return {"indices": vector.indices, "values": vector.values}
    return vector


def point_of(point, **more):
    identity = point.id if isinstance(point.id, int) else str(point.id)
    payload = getattr(point, "payload", None)
    vector = plain(point.vector)
    return {"id": identity, **more, **given(payload=payload, vector=vector)}


def hnsw_of(body):
    if not body:
        return None
    parts = known(body, "m", "ef_construct", "full_scan_threshold", "max_indexing_threads", "on_disk", "payload_m")
    # Qdrant's own where nothing is said (config/config.yaml).
    return edge.HnswIndexConfig(**{"m": 16, "ef_construct": 100, "full_scan_threshold": 10_000, **given(**parts)})


def vectors_of(body):
    if not body or "size" not in body:
        return {name: vectors_of(value) for name, value in (body or {}).items()}
    parts = known(body, "size", "distance", "on_disk", "hnsw_config")
    return edge.EdgeVectorParams(
        parts["size"],
        getattr(edge.Distance, parts["distance"]),
        **given(on_disk=parts["on_disk"], hnsw_config=hnsw_of(parts["hnsw_config"])),
    )
