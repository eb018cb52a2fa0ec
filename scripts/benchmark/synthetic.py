"""Invented tickets and events, the same every time. Knows nothing of chit.

Words come from a fixed vocabulary with the frequencies of natural text (Zipf), so that full-text search meets common words and rare
ones; priorities, statuses and people are as unevenly spread as at a real service desk.
"""

import csv
import gzip
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

_SYLLABLES = "ba co da fe gi ho ju ka le mi no pu qua ro sa te vi wo xe zu ner ton ling der mar tic"
_COMMON = (
    "the to and a in is on of not with after for user cannot printer error login since email network it slow screen monitor password"
    " outlook file server update phone account access restart message window laptop open connect vpn drive software office started"
    " install every morning again crash toner paper queue site teams shared folder reset expired blue cable dock mouse keyboard"
    " license remote desktop backup disk full certificate browser meeting camera headset sound wireless signal invoice report export"
)
_RARER = ("".join(parts) for parts in itertools.product(_SYLLABLES.split(), repeat=3))
VOCABULARY = [*_COMMON.split(), *_RARER]
"""The words, the most frequent first."""
RARE = "xylophone"
"""A word that stands in one ticket of five hundred."""

STATUSES = ("new", "open", "pending", "review", "resolved", "closed", "rejected")
STATUS_WEIGHTS = (6, 14, 8, 2, 15, 52, 3)
PRIORITIES = ("critical", "high", "normal", "low", "planned")
PRIORITY_WEIGHTS = (2, 8, 70, 15, 5)
LABELS = ("hardware", "software", "network", "access", "vip", "onsite", "vendor", "security")
YEAR = 365 * 24 * 3600
START = 1_640_995_200
"""2022-01-01 UTC, in seconds."""


class Words:
    """Draws words; rank r as often as 1/r."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._weights = list(itertools.accumulate(1 / rank for rank in range(1, len(VOCABULARY) + 1)))

    def text(self, count: int) -> str:
        """That many words, as sentences of about a dozen."""
        words = self._random.choices(VOCABULARY, cum_weights=self._weights, k=count)
        if self._random.random() < 0.002:
            words[count // 2] = RARE
        for start in range(0, count, 12):
            words[start] = words[start].capitalize()
            words[min(start + 11, count - 1)] += "."
        return " ".join(words)


def tickets(count: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Tickets of about 600 bytes each as JSON, oldest first. `created` is microseconds since 1970 UTC; comments are dictionaries."""
    random = Random(seed)
    words = Words(random)
    for number in range(count):
        created = (START + 3 * YEAR * number // count) * 1_000_000 + number % 1000
        ticket: dict[str, Any] = {
            "key": f"T{number + 1:07}",
            "created": created,
            "author": f"agent{min(int(random.expovariate(0.15)), 59)}",
            "title": words.text(random.randint(4, 9)).rstrip("."),
            "description": words.text(random.randint(16, 60)),
            "status": random.choices(STATUSES, STATUS_WEIGHTS)[0],
            "priority": random.choices(PRIORITIES, PRIORITY_WEIGHTS)[0],
            "queue": f"queue{min(int(random.expovariate(0.2)), 39)}",
            "requester": f"caller{random.randrange(4000)}@example.com",
            "labels": sorted(random.sample(LABELS, random.choice((0, 0, 1, 1, 2)))),
            "comments": [],
        }
        if ticket["status"] != "new":
            ticket["assignee"] = f"agent{min(int(random.expovariate(0.15)), 59)}"
        for place in range(random.choice((0, 0, 0, 0, 0, 0, 1, 1, 2, 3))):
            ticket["comments"].append(
                {
                    "author": f"agent{random.randrange(60)}",
                    "time": created + (place + 1) * 3_600_000_000,
                    "body": words.text(random.randint(8, 40)),
                }
            )
        yield ticket


def json_line(ticket: dict[str, Any]) -> bytes:
    """A ticket as one line of JSON without white space."""
    return json.dumps(ticket, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


_EVENT_COLUMNS = (
    "number,incident_state,active,reassignment_count,reopen_count,sys_mod_count,made_sla,caller_id,opened_by,opened_at,sys_created_by,"
    "sys_created_at,sys_updated_by,sys_updated_at,contact_type,location,category,subcategory,u_symptom,cmdb_ci,impact,urgency,priority,"
    "assignment_group,assigned_to,knowledge,u_priority_confirmation,notify,problem_id,rfc,vendor,caused_by,closed_code,resolved_by,"
    "resolved_at,closed_at"
)
EVENT_COLUMNS = _EVENT_COLUMNS.split(",")


def events(incidents: int, total: int, seed: int = 2) -> Iterator[dict[str, str]]:
    """Rows in the shape of a ServiceNow event log: the whole state of an incident after each of its events."""
    random = Random(seed)
    lengths = [max(2, min(58, round(random.lognormvariate(1.5, 0.65)))) for _ in range(incidents)]
    place = 0
    while (missing := total - sum(lengths)) != 0:
        step = 1 if missing > 0 else -1
        if lengths[place % incidents] + step >= 2:
            lengths[place % incidents] += step
        place += 1
    for number, length in enumerate(lengths):
        yield from _incident(random, number, length, START + YEAR * number // incidents)


def _incident(random: Random, number: int, length: int, opened: int) -> Iterator[dict[str, str]]:
    urgency = random.choices((1, 2, 3), (4, 88, 8))[0]
    row = dict.fromkeys(EVENT_COLUMNS, "?") | {
        "number": f"INC{number + 1:07}",
        "reassignment_count": "0",
        "reopen_count": "0",
        "made_sla": "TRUE",
        "caller_id": f"Caller {random.randrange(1, 5000)}",
        "opened_by": f"Opened by  {min(int(random.expovariate(0.05)), 200)}",
        "opened_at": _minute(opened),
        "sys_created_by": f"Created by {min(int(random.expovariate(0.05)), 180)}",
        "sys_created_at": _minute(opened + 420),
        "contact_type": "Phone",
        "location": f"Location {min(int(random.expovariate(0.03)), 220)}",
        "category": f"Category {min(int(random.expovariate(0.08)), 58)}",
        "subcategory": f"Subcategory {min(int(random.expovariate(0.02)), 250)}",
        "u_symptom": f"Symptom {min(int(random.expovariate(0.01)), 520)}",
        "impact": f"{urgency} - {('High', 'Medium', 'Low')[urgency - 1]}",
        "urgency": f"{urgency} - {('High', 'Medium', 'Low')[urgency - 1]}",
        "priority": ("1 - Critical", "2 - High", "3 - Moderate", "4 - Low")[
            urgency - (random.random() < 0.2 and urgency > 1)
        ],
        "assignment_group": f"Group {min(int(random.expovariate(0.06)), 78)}",
        "knowledge": "FALSE",
        "u_priority_confirmation": "FALSE",
        "notify": "Do Not Notify",
    }
    moment = opened + 420
    for place in range(length):
        moment += 0 if place == 0 else int(random.expovariate(1 / 30_000)) + 60
        state = _state(random, place, length)
        if random.random() < 0.35:
            row["assigned_to"] = f"Resolver {min(int(random.expovariate(0.03)), 230)}"
        if place and random.random() < 0.2:
            row["assignment_group"] = f"Group {min(int(random.expovariate(0.06)), 78)}"
            row["reassignment_count"] = str(int(row["reassignment_count"]) + 1)
        if state in ("Resolved", "Closed") and row["resolved_at"] == "?":
            row["resolved_at"] = _minute(moment)
            row["resolved_by"] = row["assigned_to"].replace("Resolver", "Resolved by")
            row["closed_code"] = f"code {min(int(random.expovariate(0.3)) + 1, 17)}"
        if state == "Closed":
            row["closed_at"] = _minute(moment)
        yield row | {
            "incident_state": state,
            "active": "FALSE" if state == "Closed" else "TRUE",
            "sys_mod_count": str(place),
            "sys_updated_by": f"Updated by {min(int(random.expovariate(0.01)), 900)}",
            "sys_updated_at": _minute(moment),
        }


def _state(random: Random, place: int, length: int) -> str:
    if place == length - 1:
        return "Closed"
    if place == length - 2 and place:
        return "Resolved"
    if place == 0:
        return "New"
    return random.choices(
        ("New", "Active", "Awaiting User Info", "Awaiting Problem", "Awaiting Vendor"), (20, 55, 19, 3, 3)
    )[0]


def _minute(seconds: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).strftime("%d-%m-%Y %H:%M")


def write_events(path: Path, incidents: int, total: int) -> None:
    """The event log as a CSV file, packed if its name says so."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", newline="") as file:
        writer = csv.DictWriter(file, EVENT_COLUMNS)
        writer.writeheader()
        writer.writerows(events(incidents, total))
