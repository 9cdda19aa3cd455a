"""The declaration of a pipeline, and the kind it brings to a catalog."""

from swarm.declare import declarer, getter, override
from swarm.fields import Callback, Name, Spec
from swarm.registry import Kind

__all__ = [
    "PIPELINES",
    "PipelineCallbacks",
    "PipelineSpec",
    "add_pipeline",
    "get_pipeline",
    "override_pipeline",
]


class PipelineCallbacks(Spec):
    """Functions that hear of a pipeline."""

    on_start: Callback | None = None
    """`(client_id, pipeline_name, agent_name, payload)`, before it runs."""
    on_end: Callback | None = None
    """`(client_id, pipeline_name, agent_name, payload, is_error)`, after it ran."""
    on_error: Callback | None = None
    """`(client_id, pipeline_name, agent_name, payload, error)`, when it raised."""


class PipelineSpec(Spec):
    """A procedure of the program that runs while a certain agent is the active one."""

    pipeline_name: Name
    """What `start_pipeline` calls it."""
    execute: Callback
    """A function `(client_id, agent_name, payload)`; what it returns, `start_pipeline` does."""
    callbacks: PipelineCallbacks | None = None
    """Functions that are told of it."""
    doc_description: str | None = None
    """What it is for, in the generated documentation."""


PIPELINES = Kind("pipeline", PipelineSpec, "pipeline_name")

add_pipeline = declarer(PIPELINES, PipelineSpec)
get_pipeline = getter(PIPELINES)
override_pipeline = override(PIPELINES)
