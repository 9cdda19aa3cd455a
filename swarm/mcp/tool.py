"""A tool as an MCP server describes it, checked and bounded before any model reads of it."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from swarm.errors import DeclarationError
from swarm.mcp.spec import McpSpec

__all__ = ["MAX_TOOLS", "McpTool", "function_name", "read_tool", "unfit_reason"]

MAX_TOOLS = 256
"""Tools of one server; those past it are left out."""
_MAX_DESCRIPTION = 8_192
_MAX_SCHEMA = 64 * 1024


class McpTool(BaseModel):
    """The part of a tool's definition that a model reads."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True, defer_build=True)

    name: str
    """As the server calls it."""
    description: str = ""
    input_schema: dict[str, JsonValue] = {}
    """JSON Schema of the arguments, whole."""

    @property
    def digest(self) -> str:
        """SHA-256 of name, description and schema, the same however keys are ordered."""
        import hashlib  # 5 ms that only programs with MCP servers pay

        import orjson

        plain = [self.name, self.description, self.input_schema]
        return hashlib.sha256(orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)).hexdigest()


def read_tool(value: object) -> McpTool:
    """Read a tool that a callback gave: a mapping or an object with the fields of one.

    Raises:
        DeclarationError: It is neither.
    """
    fields: Mapping[str, Any]
    if isinstance(value, McpTool):
        return value
    if isinstance(value, BaseModel):
        fields = value.model_dump(by_alias=True)
    elif isinstance(value, Mapping):
        fields = {**value}
    else:
        raise DeclarationError(f"list_tools gave {type(value).__name__}; a tool is a mapping")
    try:
        # The API shape of tools in general says `parameters`.
        schema = fields.get("inputSchema", fields.get("input_schema", fields.get("parameters")))
        return McpTool(
            name=fields.get("name", ""),
            description=fields.get("description") or "",
            input_schema=schema or {},
        )
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise DeclarationError(f"list_tools gave a tool whose {where}: {first['msg']}") from None


def function_name(spec: McpSpec, tool: McpTool) -> str:
    """Return what models call the tool: providers take no dots and slashes."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", f"{spec.prefix}{tool.name}")


def unfit_reason(spec: McpSpec, tool: McpTool) -> str | None:
    """Return why a tool cannot be offered to a model, or None."""
    import jsonschema  # 0.1 s that only programs with foreign schemas pay
    import orjson

    length = len(function_name(spec, tool))
    if not tool.name or length > 64:
        return f"its name has {length} characters, and a model's tools have 1 to 64"
    if len(tool.description) > _MAX_DESCRIPTION:
        return f"its description has more than {_MAX_DESCRIPTION:,} characters"
    if len(orjson.dumps(tool.input_schema)) > _MAX_SCHEMA:
        return f"its schema has more than {_MAX_SCHEMA:,} bytes"
    if tool.input_schema.get("type", "object") != "object":
        return "its schema is not of type object"
    try:
        jsonschema.Draft202012Validator.check_schema(tool.input_schema)
    except jsonschema.SchemaError as wrong:
        return f"its schema is no JSON Schema: {wrong.message[:200]}"
    except Exception as wrong:
        # A schema that nests too deep, or a pattern that is no regular expression.
        return f"its schema cannot be checked: {type(wrong).__name__}"
    return None
