"""A venue that knows only its recordings: what the replay server says where a source brings no `Mimic`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from coinlake.testing.mimic import Answer, Question
from coinlake.testing.recordings import Recording

_MOMENT = re.compile(r"\d{10,19}(\.\d+)?|\d{4}-\d{2}-\d{2}([T ].*)?")


class RecordedMimic:
    """A `coinlake.testing.mimic.Mimic`: the newest visible recording of the same path and parameters.

    Moments among the parameters (ISO dates, seconds or milliseconds since 1970) may differ, because the
    replay's slots are not the recording's. What nobody recorded is an HTTP 404 that says what was asked.
    """

    def __init__(self, base: str) -> None:
        self.base = base

    def answer(self, question: Question, visible: Sequence[Recording], now: datetime) -> Answer:
        """The recording that fits; of several the newest."""
        asked = _without_moments(question.params)
        for recording in reversed(visible):
            same_path = recording.endpoint == self.base + question.path
            if same_path and _without_moments(recording.params) == asked:
                headers = recording.headers_to_serve
                return Answer(recording.status, headers, recording.body, recording.synthetic)
        return Answer(404, body=f"No recording answers {question.path} with {asked}.".encode())


def _without_moments(params: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in params.items() if not _MOMENT.fullmatch(value)}
