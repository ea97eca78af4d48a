"""Systems that are broken on purpose: what `chatsim selftest` plays to show that it convicts, and of what.

Each is a small override of the good server (two of its driver), and declares the exact set of kinds of violation it
must be convicted of, and the scenarios that must do it. With its fault switched off it must pass the same scenarios.

    chatsim run scenarios/outsider.yaml --server "python -m gallery.serve tells-outsiders --data {data}"
    chatsim run scenarios/outsider.yaml --server "python -m gallery.serve tells-outsiders --sound --data {data}"

To add one: a `Broken` in one of these modules, and its name in `GALLERY`.
"""

from __future__ import annotations

from gallery import (
    decides_wrongly,
    garbles,
    gates,
    keeps,
    leaves_wrongly,
    lets_do,
    lets_in,
    limits_wrongly,
    moderates,
    remembers_wrongly,
    shows_wrongly,
    tells_wrongly,
    trims_wrongly,
    withholds,
)
from gallery.broken import Broken
from gallery.echoes import ECHOES
from gallery.forgets import FORGETS_WHEN_KILLED, FORGETS_WHEN_STOPPED
from gallery.swallows import SWALLOWS
from gallery.tells_outsiders import TELLS_OUTSIDERS
from gallery.tells_outsiders_late import TELLS_OUTSIDERS_LATE

GALLERY: dict[str, Broken] = {
    broken.name: broken
    for broken in (
        ECHOES,
        withholds.ECHOES_TO_SECOND_DEVICE,
        SWALLOWS,
        withholds.STARVES,
        withholds.DROPS_EVERY_SECOND,
        withholds.CLAIMS_AHEAD,
        withholds.INCLUDES_AHEAD,
        tells_wrongly.CLAIMS_LESS,
        decides_wrongly.ACKS_WITHOUT_STORING,
        remembers_wrongly.ACKS_BEFORE_COMMIT,
        FORGETS_WHEN_KILLED,
        FORGETS_WHEN_STOPPED,
        remembers_wrongly.CHANGES_EPOCH,
        remembers_wrongly.WIPES,
        remembers_wrongly.HANGS_ON_DRAIN,
        decides_wrongly.REGRESSES_CURSOR,
        decides_wrongly.REPORTS_BEYOND_HEAD,
        remembers_wrongly.FORGETS_CURSORS,
        remembers_wrongly.REDELIVERS_AFTER_ACK,
        shows_wrongly.DOUBLES,
        decides_wrongly.DUPLICATES_ON_RETRY,
        shows_wrongly.RESTORES,
        shows_wrongly.REUSES,
        shows_wrongly.REVERSES,
        shows_wrongly.REVERSES_FOR_ONE,
        shows_wrongly.RENUMBERS_FOR_ONE,
        tells_wrongly.GOES_BACK,
        remembers_wrongly.ORDERS_ANEW,
        remembers_wrongly.ORDERS_OTHERS_ANEW,
        TELLS_OUTSIDERS,
        TELLS_OUTSIDERS_LATE,
        lets_in.LEAKS_AFTER_KICK,
        lets_in.LEAKS_HISTORY,
        moderates.KEEPS_REMOVED,
        moderates.REMEMBERS_REJOINED,
        moderates.TAKES_OVER_FROM_THE_START,
        moderates.FORGETS_SILENTLY,
        garbles.ALTERS,
        garbles.TRUNCATES,
        garbles.INVENTS,
        garbles.MIXES_UP,
        garbles.CROSSES,
        garbles.CROSSES_AS_OWN,
        decides_wrongly.REFUSES_AND_STORES,
        keeps.KEEPS_FILES,
        keeps.KEEPS_CONNECTIONS,
        gates.BELIEVES_RETIRED,
        gates.BELIEVES_NEWEST,
        gates.KEEPS_STREAMS,
        lets_do.LETS_READERS_WRITE,
        lets_do.LETS_MEMBERS_RULE,
        lets_do.LETS_FORMER_ADMINS_RULE,
        lets_do.LETS_THE_LAST_ADMIN_GO,
        lets_do.LETS_ANYBODY_IN,
        lets_do.LETS_REMOVED_WRITE,
        lets_do.TELLS_OF_ROOMS,
        moderates.TAKES_OVER_AT_THE_END,
        moderates.KEEPS_BOTH,
        trims_wrongly.TRIMS_SILENTLY,
        trims_wrongly.WRITES_OFF,
        trims_wrongly.TRIMS_TOO_MUCH,
        trims_wrongly.SKIPS_IN_HISTORY,
        leaves_wrongly.FORGETS_WHILE_LEAVING,
        leaves_wrongly.TURNS_AWAY_WHILE_LEAVING,
        limits_wrongly.STORES_WHAT_IS_REFUSED,
        limits_wrongly.STORES_EACH_TRY,
        limits_wrongly.COUNTS_ALL_AS_ONE,
    )
}
"""By name, in the order of the matrix."""
