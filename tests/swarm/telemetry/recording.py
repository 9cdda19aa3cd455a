"""What an SDK of OpenTelemetry got: spans and metrics in memory."""

from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from swarm.telemetry import Telemetry

__all__ = ["Recording", "attributes"]


class Recording:
    """Providers of a test's own, and what went through them."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.meters = MeterProvider([self._reader])

    def telemetry(self, **options: Any) -> Telemetry:
        """Return telemetry that is recorded here."""
        options.setdefault("environment", {})
        return Telemetry(tracer_provider=self.tracers, meter_provider=self.meters, **options)

    @property
    def spans(self) -> Sequence[ReadableSpan]:
        """The spans that have ended, the first one to end first."""
        return self._exporter.get_finished_spans()

    def span(self, name: str) -> ReadableSpan:
        """Return the only span of a name."""
        (found,) = [span for span in self.spans if span.name == name]
        return found

    def parent_of(self, span: ReadableSpan) -> str | None:
        """Return the name of a span's parent."""
        if span.parent is None:
            return None
        parent_id = span.parent.span_id
        (found,) = [s for s in self.spans if s.context and s.context.span_id == parent_id]
        return found.name

    def points(self, metric: str) -> list[HistogramDataPoint]:
        """Return what a histogram holds, a point for each set of attributes."""
        data = self._reader.get_metrics_data()
        found: list[HistogramDataPoint] = []
        for resource in data.resource_metrics if data is not None else ():
            for scope in resource.scope_metrics:
                for kept in scope.metrics:
                    if kept.name == metric:
                        found += [
                            point
                            for point in kept.data.data_points
                            if isinstance(point, HistogramDataPoint)
                        ]
        return found


def attributes(span: ReadableSpan) -> Mapping[str, Any]:
    """Return a span's attributes."""
    return dict(span.attributes or {})
