"""The protocol by which programs in other languages use the core.

`wire`, `shapes`, `verbs` and `methods` say what is spoken; `peer` and `framing` speak it, and
`program` is what the core has of a program that is connected. It is no server: `serve` is.
"""
