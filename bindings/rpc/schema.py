"""Writes the JSON Schema that other languages take their types from.

`python -m bindings.rpc.schema` writes bindings/typescript/wire.schema.json; a test fails when the
file is out of step.
"""

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from bindings.rpc.errors import error_classes
from bindings.rpc.methods import METHODS
from bindings.rpc.wire import PROTOCOL, ErrorData

__all__ = ["SCHEMA", "main", "make_schema"]

SCHEMA = Path(__file__).parents[1] / "typescript" / "wire.schema.json"


class _Generator(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: Any) -> bool:
        """Leave titles out: they would become aliases such as `Kind1` in other languages."""
        return False

    def model_schema(self, schema: Any) -> dict[str, Any]:
        """Leave out the title of a model, too; its definition has the name."""
        made = super().model_schema(schema)
        made.pop("title", None)
        return made


def make_schema() -> dict[str, Any]:
    """Return the schema: the models, and beside them the methods and the errors."""
    mode: JsonSchemaMode = "validation"
    inputs: list[tuple[str, JsonSchemaMode, Any]] = [
        ("ErrorData", mode, TypeAdapter(ErrorData).core_schema)
    ]
    for name, method in METHODS.items():
        inputs.append((f"{name} params", mode, TypeAdapter(method.params).core_schema))
        inputs.append((f"{name} result", mode, TypeAdapter[Any](method.result).core_schema))
    generator = _Generator(by_alias=True, ref_template="#/$defs/{model}")
    found, definitions = generator.generate_definitions(inputs)
    shapes = {key[0]: value for key, value in found.items()}
    models: dict[str, Any] = dict(sorted(definitions.items()))
    methods: dict[str, Any] = {}
    for name, method in METHODS.items():
        entry: dict[str, Any] = {"to": method.to, "params": shapes[f"{name} params"]}
        entry["result"] = shapes[f"{name} result"] if method.is_request else None
        methods[name] = entry
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Wire",
        "description": f'The messages of "swarm wire {PROTOCOL}"; made by bindings.rpc.schema.',
        "type": "object",
        "properties": {name: {"$ref": f"#/$defs/{name}"} for name in models},
        "$defs": models,
        "protocol": PROTOCOL,
        "methods": methods,
        "errors": [
            {
                "kind": error.code,
                "code": error.rpc_code,
                "name": error.__name__,
                "parent": None if error.__base__ is Exception else _code(error.__base__),
                "description": (error.__doc__ or "").strip().partition("\n")[0],
            }
            for error in error_classes()
        ],
    }


def _code(error: Any) -> str:
    return str(error.code)


def main() -> None:
    """Write the schema to its place."""
    text = json.dumps(make_schema(), indent=2, ensure_ascii=False)
    SCHEMA.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
