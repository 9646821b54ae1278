"""Recording sessions as the authors' readme lists them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True, kw_only=True)
class Session:
    """What the readme says of one session; the files may differ.

    Args:
        animal: the authors' name of it.
        neurons: recorded at once.
        images: shown.
        trials: typical number of repeats of an image.
    """

    animal: str
    neurons: int
    images: int
    trials: int


#: animal -> "session:neurons:images:trials".
_LISTED = {
    "WE": """190923:33:1200:14 190924:25:900:13 190925:36:900:14 190926:27:900:15 190927:31:900:11
        190928:24:900:13 190929:33:900:15""",
    "PE": """201016:82:900:6 201017:88:900:7 201018:80:600:5 201019:82:1600:4 201020:87:1600:4
        201021:88:1600:7 201022:79:2000:5 201023:86:2000:7 201024:85:2000:7 201025:89:1200:12
        210224:67:800:9 210225:55:1200:6 210226:78:1600:6 210301:61:2000:4 210302:70:2000:5
        210303:67:2049:3 210304:65:1968:5 210305:70:400:22 210308:70:2000:4 210309:56:2000:4
        210310:64:2000:3 210312:81:2000:4 210315:65:2000:2 210316:62:2000:3 210322:59:1200:4
        210323:59:1200:4 210324:54:1200:4 210325:50:640:8 210326:60:1200:4""",
    "RA": """210620:42:1600:9 210621:51:1200:16 211008:21:1200:24 211012:51:2000:15
        211013:52:2000:15 211014:46:2000:11 211015:49:2000:18 211018:56:3000:10 211022:42:1600:20
        211025:54:2000:16 211026:56:2000:13 211027:56:2000:18 211028:55:2000:14
        211103:49:3000:13""",
}


def _sessions() -> dict[str, Session]:
    found = {}
    for animal, listed in _LISTED.items():
        for row in listed.split():
            name, *counts = row.split(":")
            neurons, images, trials = map(int, counts)
            found[name] = Session(animal=animal, neurons=neurons, images=images, trials=trials)
    return found


#: All 50 sessions, by the date that names them (yymmdd).
SESSIONS: Mapping[str, Session] = _sessions()
