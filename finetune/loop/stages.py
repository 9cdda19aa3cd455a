"""The stages of a round, in their order; a better one is another line."""

from finetune.loop.freezing import freeze_rows, freeze_settings
from finetune.loop.gathering import (
    collect_rows,
    collect_settings,
    curate_rows,
    curate_settings,
)
from finetune.loop.judging import (
    evaluate_models,
    evaluate_settings,
    gate_model,
    gate_settings,
)
from finetune.loop.releasing import (
    promote_settings,
    promote_version,
    register_settings,
    register_version,
    watch_settings,
    watch_version,
)
from finetune.loop.round import Stage
from finetune.loop.training import package_model, package_settings, train_model, train_settings

__all__ = ["STAGES"]

STAGES = (
    Stage("collect", collect_rows, collect_settings),
    Stage("curate", curate_rows, curate_settings),
    Stage("freeze", freeze_rows, freeze_settings),
    Stage("train", train_model, train_settings),
    # Before it is judged, so that what is judged is the very file that will serve.
    Stage("package", package_model, package_settings),
    Stage("evaluate", evaluate_models, evaluate_settings),
    Stage("gate", gate_model, gate_settings),
    Stage("register", register_version, register_settings),
    Stage("promote", promote_version, promote_settings),
    Stage("watch", watch_version, watch_settings),
)
