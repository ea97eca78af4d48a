"""Servers that are broken on purpose, each a small override of the good one.

Each declares the exact set of kinds of violation it must be convicted of, and the scenarios that must do it. With
its fault switched off it is the good server, and must pass the same scenarios.

    chatsim run scenarios/outsider.yaml --server "python -m tests.broken tells-outsiders --data {data}"
    chatsim run scenarios/outsider.yaml --server "python -m tests.broken tells-outsiders --sound --data {data}"
"""

from __future__ import annotations

from tests.broken import garbles, moderates, shows_wrongly, withholds
from tests.broken.broken import Broken
from tests.broken.echoes import ECHOES
from tests.broken.forgets import FORGETS_WHEN_KILLED, FORGETS_WHEN_STOPPED
from tests.broken.swallows import SWALLOWS
from tests.broken.tells_outsiders import TELLS_OUTSIDERS
from tests.broken.tells_outsiders_late import TELLS_OUTSIDERS_LATE

#: The gallery, by name.
GALLERY: dict[str, Broken] = {
    broken.name: broken
    for broken in (
        ECHOES,
        SWALLOWS,
        TELLS_OUTSIDERS,
        TELLS_OUTSIDERS_LATE,
        FORGETS_WHEN_KILLED,
        FORGETS_WHEN_STOPPED,
        shows_wrongly.DOUBLES,
        shows_wrongly.REVERSES,
        shows_wrongly.REVERSES_FOR_ONE,
        shows_wrongly.RENUMBERS_FOR_ONE,
        shows_wrongly.REUSES,
        shows_wrongly.RESTORES,
        garbles.ALTERS,
        garbles.TRUNCATES,
        garbles.INVENTS,
        garbles.MIXES_UP,
        garbles.CROSSES,
        garbles.CROSSES_AS_OWN,
        withholds.STARVES,
        withholds.DROPS_EVERY_SECOND,
        withholds.CLAIMS_AHEAD,
        withholds.INCLUDES_AHEAD,
        withholds.ECHOES_TO_SECOND_DEVICE,
        moderates.KEEPS_REMOVED,
        moderates.REMEMBERS_REJOINED,
        moderates.TAKES_OVER_FROM_THE_START,
        moderates.FORGETS_SILENTLY,
    )
}
