"""The same work by fossil and Taskwarrior, where they are installed: other programs that keep tickets or tasks on this disk.

They have no targets. Each line is chit's figure with the peer's beside it.
"""

import hashlib
import json
import shutil
import subprocess
from datetime import UTC, datetime
from typing import Any

from benchmark import synthetic
from benchmark.bench import Bench
from benchmark.measuring import Probe, interleaved, process

TITLE = "The printer on the second floor is on fire"


def peers(bench: Bench) -> None:
    """One ticket more, one page, one ticket shown and one changed, in stores of 10,000; and a bulk load."""
    count = 1_000 if bench.quick else 10_000
    tickets = list(synthetic.tickets(count))
    found = {name: maker for name, maker in {"fossil": fossil, "task": taskwarrior}.items() if shutil.which(name)}
    for name in ("fossil", "task"):
        if name not in found:
            bench.report.note(f"{name} is not installed")
    probes: dict[str, dict[str, Probe]] = {"chit": chit(bench, count)}
    for name, maker in found.items():
        probes[name] = maker(bench, tickets)
    for work in probes["chit"]:
        medians = interleaved({name: table[work] for name, table in probes.items() if work in table}, bench.rounds)
        for name in medians:
            if name != "chit":
                bench.report.add(f"{work}, {count:,} tickets", medians["chit"], medians[name], name)


def chit(bench: Bench, count: int) -> dict[str, Probe]:
    """Chit's own."""
    store = bench.copy(bench.tickets(count))
    middle = str(count // 2)
    return {
        "new": bench.times("new", "-m", TITLE, cwd=store),
        "edit": _counting(lambda turn: bench.times("edit", middle, "--title", f"{TITLE} {turn}", cwd=store)),
        "list 50": bench.times("list", "--limit", "50", cwd=store),
        "list all open": bench.times("list", "--limit", "0", cwd=store),
        "show": bench.times("show", middle, cwd=store),
        "search": bench.times("list", "--limit", "50", "printer", cwd=store),
    }


def _counting(make: Any) -> Probe:
    turns = iter(range(1_000_000))
    return lambda: float(make(next(turns))())


def fossil(bench: Bench, tickets: list[dict[str, Any]]) -> dict[str, Probe]:
    """A fossil repository, put together from ticket artifacts as fossil itself would write them."""
    program = shutil.which("fossil") or "fossil"
    artifacts = bench.fresh("artifacts")
    artifacts.mkdir()
    idents = []
    for ticket in tickets:
        idents.append(hashlib.sha1(ticket["key"].encode()).hexdigest())
        (artifacts / ticket["key"]).write_bytes(_artifact(ticket, idents[-1]))
    repository = bench.fresh("tickets.fossil")
    subprocess.run(
        [program, "reconstruct", repository, artifacts], check=True, env=bench.env, stdout=subprocess.DEVNULL
    )
    subprocess.run([program, "user", "default", "bench", "-R", repository], check=False, env=bench.env)
    shutil.rmtree(artifacts)
    middle = idents[len(idents) // 2]

    def run(*arguments: str) -> Probe:
        return process([program, *arguments], env=bench.env)

    at = ("-R", str(repository))
    columns = (
        "SELECT tkt_uuid, title, status, priority FROM ticket WHERE status NOT IN ('resolved', 'closed', 'rejected')"
    )
    order = "ORDER BY priority, tkt_mtime DESC"
    return {
        "new": run("ticket", "add", "title", TITLE, "status", "open", *at),
        "edit": _counting(lambda turn: run("ticket", "change", middle, "title", f"{TITLE} {turn}", *at)),
        "list 50": run("sql", *at, f"{columns} {order} LIMIT 50"),
        "list all open": run("sql", *at, f"{columns} {order}"),
        "show": run("ticket", "history", middle, *at),
    }


def _artifact(ticket: dict[str, Any], ident: str) -> bytes:
    def escaped(text: str) -> str:
        return text.replace("\\", "\\\\").replace(" ", "\\s").replace("\n", "\\n")

    fields = {
        "comment": ticket["description"],
        "priority": ticket["priority"],
        "status": ticket["status"],
        "title": ticket["title"],
    }
    moment = datetime.fromtimestamp(ticket["created"] / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
    cards = [f"D {moment}", *(f"J {name} {escaped(value)}" for name, value in fields.items()), f"K {ident}", "U bench"]
    body = "".join(f"{card}\n" for card in cards).encode()
    return body + b"Z " + hashlib.md5(body, usedforsecurity=False).hexdigest().encode() + b"\n"


def taskwarrior(bench: Bench, tickets: list[dict[str, Any]]) -> dict[str, Probe]:
    """Taskwarrior's data, by its own import."""
    program = shutil.which("task") or "task"
    data = bench.fresh("task")
    data.mkdir()
    settings = data / "taskrc"
    settings.write_text(f"data.location={data}\nconfirmation=off\nhooks=off\nverbose=nothing\n")
    env = {**bench.env, "TASKRC": str(settings), "TASKDATA": str(data)}
    lines = "".join(json.dumps(_task(ticket)) + "\n" for ticket in tickets)
    subprocess.run([program, "import", "-"], input=lines.encode(), check=True, env=env, stdout=subprocess.DEVNULL)

    def run(*arguments: str) -> Probe:
        return process([program, *arguments], env=env, codes=(0, 1))

    middle = str(sum(ticket["status"] in ("new", "open", "pending", "review") for ticket in tickets) // 2)
    return {
        "new": run("add", TITLE, "priority:H"),
        "edit": _counting(lambda turn: run(middle, "modify", f"{TITLE} {turn}")),
        "list 50": run("rc.defaultwidth=200", "list", "limit:50"),
        "list all open": run("rc.defaultwidth=200", "list"),
        "show": run(middle, "info"),
        "search": run("rc.defaultwidth=200", "/printer/", "list", "limit:50"),
    }


def _task(ticket: dict[str, Any]) -> dict[str, Any]:
    entry = datetime.fromtimestamp(ticket["created"] / 1e6, UTC).strftime("%Y%m%dT%H%M%SZ")
    done = ticket["status"] in ("resolved", "closed", "rejected")
    task = {
        "description": ticket["title"],
        "status": "completed" if done else "pending",
        "entry": entry,
        "priority": {"critical": "H", "high": "H", "normal": "M"}.get(ticket["priority"], "L"),
        "project": ticket["queue"],
        "tags": ticket["labels"],
        "annotations": [{"entry": entry, "description": ticket["description"]}],
    }
    return task | ({"end": entry} if done else {})
