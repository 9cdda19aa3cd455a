"""Watching a wiki in service: whether its answers get worse, and what is done then.

It reads ratings and answers out of the journal, or a log of predictions, and tells a change from
chance with a known rate of false alarms. It trains nothing: `on_alarm: loop` calls a function that
the caller gives. The command is `wikiswarm watch`.
"""

from finetune.predictions import Prediction, log_prediction
from finetune.watch.alarm import Alarm
from finetune.watch.changepoint import ChangeDetector, Shift, threshold
from finetune.watch.drift import DriftReport, check_drift
from finetune.watch.energy import EnergyTest, energy_test
from finetune.watch.look import StreamSummary, Watched
from finetune.watch.report import write_watch_report
from finetune.watch.run import ALARM_TOPIC, watch_folder, watch_wiki
from finetune.watch.state import read_alarms

__all__ = [
    "ALARM_TOPIC",
    "Alarm",
    "ChangeDetector",
    "DriftReport",
    "EnergyTest",
    "Prediction",
    "Shift",
    "StreamSummary",
    "Watched",
    "check_drift",
    "energy_test",
    "log_prediction",
    "read_alarms",
    "threshold",
    "watch_folder",
    "watch_wiki",
    "write_watch_report",
]
