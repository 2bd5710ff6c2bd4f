# SPDX-License-Identifier: GPL-2.0
"""A validator for the part of JSON Schema that dwell's schemas use.

It knows $ref (within the schema), type, const, enum, required, properties,
additionalProperties, items and minimum, and refuses a schema with any other
keyword, so that nothing goes unchecked unnoticed.
"""

TYPES = {
    "object": dict, "array": list, "string": str, "integer": int, "number": (int, float),
    "null": type(None), "boolean": bool,
}
KNOWN = {
    "$ref", "type", "const", "enum", "required", "properties", "additionalProperties", "items", "minimum",
    "$schema", "$defs", "title", "description",
}


def _is(value, name):
    if isinstance(value, bool) and name != "boolean":
        return False
    return isinstance(value, TYPES[name])


def errors(value, schema, root=None, path="$"):
    """Yield one line for each way in which value does not fit."""
    root = root or schema
    unknown = set(schema) - KNOWN
    if unknown:
        raise ValueError(f"{path}: the validator does not know {sorted(unknown)}")
    if "$ref" in schema:
        target = root
        for part in schema["$ref"].lstrip("#/").split("/"):
            target = target[part]
        yield from errors(value, target, root, path)
    if "const" in schema and value != schema["const"]:
        yield f"{path}: is {value!r}, not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: is {value!r}, not one of {schema['enum']!r}"
    if "type" in schema:
        names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        if not any(_is(value, n) for n in names):
            yield f"{path}: is {value!r}, not {' or '.join(names)}"
            return
    if "minimum" in schema and value is not None and value < schema["minimum"]:
        yield f"{path}: is {value!r}, below {schema['minimum']}"
    if isinstance(value, dict):
        for key in schema.get("required", []):
            if key not in value:
                yield f"{path}: has no {key!r}"
        known = schema.get("properties", {})
        more = schema.get("additionalProperties", True)
        for key, item in value.items():
            if key in known:
                yield from errors(item, known[key], root, f"{path}.{key}")
            elif more is False:
                yield f"{path}: {key!r} is not in the schema"
            elif isinstance(more, dict):
                yield from errors(item, more, root, f"{path}.{key}")
    if isinstance(value, list) and "items" in schema:
        for i, item in enumerate(value):
            yield from errors(item, schema["items"], root, f"{path}[{i}]")
