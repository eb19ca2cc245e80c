"""What `lorry submit --dry-run` prints: when a job would start, what it would take, what speaks against it."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from cli.answers import DiskNeed, MemoryNeed, Plan
from cli.text import duration, number, print_facts, print_json, size


def show_plan(plan: Plan, *, as_json: bool) -> None:
    if as_json:
        print_json(plan)
        return
    print_facts(_facts(plan))
    for warning in plan["warnings"]:
        print(f"warning ({warning['code']}): {warning['message']}", file=sys.stderr)


def _facts(plan: Plan) -> Iterator[tuple[str, str]]:
    yield "trained on", f"{plan['train_count']} of {plan['item_count']}, {plan['val_count']} held out"
    yield "steps", f"{plan['total_steps']} ({plan['total_epochs']} epochs)"
    place, estimate = plan["queue"], plan["estimate"]
    yield "starts", "now" if place is None else f"at place {place['position']} of the queue: {place['reason']}"
    if place is not None and place["eta_seconds"] is not None:
        yield "waits about", duration(place["eta_seconds"])
    if estimate is not None:
        yield "takes about", duration(estimate["duration_seconds"])
        if estimate["cost"] is not None:
            yield "costs about", number(estimate["cost"], 2)
    yield "disk", _disk(plan["disk"])
    if plan["memory"] is not None:
        yield "GPU memory", _memory(plan["memory"])


def _disk(need: DiskNeed) -> str:
    free = f"{size(need['free_bytes'])} are free"
    return free if need["needed_bytes"] is None else f"up to {size(need['needed_bytes'])}, {free}"


def _memory(need: MemoryNeed) -> str:
    needed = f"{size(need['needed_bytes'])}{'' if need['is_measured'] else ' for the weights alone'}"
    if need["total_bytes"] is None:
        return needed
    free = f", {size(need['free_bytes'])} free now" if need["free_bytes"] is not None else ""
    return f"{needed} of {size(need['total_bytes'])}{free}"
