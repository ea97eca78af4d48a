"""What this one scenario says, as against the invariants, which hold for every one. One file each."""

from __future__ import annotations

from harness.judge.check import Check
from harness.judge.expectations.expect import ExpectStep, Sightings
from harness.judge.expectations.faults import Fired
from harness.judge.expectations.inboxes import InboxCheck, NothingElse
from harness.judge.expectations.limits import Limits
from harness.judge.expectations.outcome import Outcomes
from harness.judge.expectations.poll import PollStep
from harness.judge.expectations.processes import Processes
from harness.judge.expectations.refused import RefusedStep
from harness.judge.expectations.script import Script
from harness.model.actions import Expect, Poll
from harness.model.plan import Plan


def expectations(plan: Plan) -> list[Check]:
    """Return the checks of a plan: its steps in order, its inboxes, then what holds for every script."""
    sightings = Sightings()
    checks: list[Check] = [sightings]
    for step in plan.walk():
        if step.refused is not None:
            checks.append(RefusedStep(step))
        elif isinstance(step.action, Expect):
            checks.append(ExpectStep(step, step.action, sightings))
        elif isinstance(step.action, Poll) and step.action.gets is not None:
            checks.append(PollStep(step, step.action, step.action.gets))
    checks.extend(InboxCheck(inbox) for inbox in plan.inboxes)
    heard = {
        client: frozenset(inbox.room for inbox in plan.inboxes if inbox.client == client)
        for client in plan.listed
    }
    checks.extend(NothingElse(client, rooms) for client, rooms in heard.items())
    if plan.limits and plan.limits_decide:
        checks.append(Limits(plan))
    checks.extend((Outcomes(plan), Processes(), Script(), Fired()))
    return checks
