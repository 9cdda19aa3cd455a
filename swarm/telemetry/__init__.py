"""Telemetry: turns, model calls and tool calls as OpenTelemetry spans and metrics.

It implements `swarm.runtime.tracing.Tracer` with the GenAI semantic conventions, over the API of
`opentelemetry`; exporters and sampling are the program's own. Needs the extra `otel`.
"""

from swarm.telemetry.telemetry import Telemetry, instrument, uninstrument

__all__ = ["Telemetry", "instrument", "uninstrument"]
