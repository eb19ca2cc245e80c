"""A stop request (SIGTERM, SIGINT) as a fact that the work asks for at points where stopping is safe."""

import signal
from types import FrameType

from lora_trainer.errors import StoppedOnRequest


class StopRequest:
    def __init__(self) -> None:
        self.is_made = False

    def listen(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)

    def raise_if_made(self, where: str) -> None:
        if self.is_made:
            raise StoppedOnRequest(f"stopped on request {where}")

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.is_made = True
