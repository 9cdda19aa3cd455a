"""Processes of Node beside the core: whole programs, and files whose functions documents name.

`run_program` starts a TypeScript or JavaScript program and is its core. Where a document says
`call: "discount.ts#discount"`, one Node process for each file and host serves its functions. What
the two sides say to each other is `bindings.rpc`.
"""

from bindings.node.finding import SUFFIXES, NodeNeeds, find_needs, node_command
from bindings.node.functions import NodeFunction, functions_of
from bindings.node.run import run_program

__all__ = [
    "SUFFIXES",
    "NodeFunction",
    "NodeNeeds",
    "find_needs",
    "functions_of",
    "node_command",
    "run_program",
]
