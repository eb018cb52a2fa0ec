"""Two organisations at their command lines: globex leads, acme works for it. Their stores are side by side and exchange over a path."""

from pathlib import Path
from typing import Any

from support.runner import Chit, Ran

TERMS = ("--pay", "80/h", "--hours", "10h", "--charges", "50", "--bill-rate", "98765.43")
"""What is offered where a test does not say otherwise; of it the bill rate must never leave."""

STATUSES = (
    "none", "unsent", "assigned", "countered", "canceled", "declined", "accepted", "in-progress", "awaiting-approval", "completed",
)  # fmt: skip
"""What a ticket can be in; countered is assigned, with a counter-offer that waits."""


class Parties:
    """The two, and what they type."""

    def __init__(self, folder: Path, chit: Chit) -> None:
        self.folder = folder
        self.chit = chit

    def meet(self) -> None:
        """Makes the stores and the partnership."""
        for name in ("globex", "acme"):
            (self.folder / name).mkdir(parents=True)
        self.lead("init")
        self.service("init")
        word = self.lead("partner", "invite", "acme", "--as", "globex").out
        self.service("partner", "join", "-", "--organization", "Globex Inc", stdin=word)

    def lead(self, *words: str, **options: Any) -> Ran:
        """What anna types at globex."""
        return self.run("lead", *words, **options)

    def service(self, *words: str, **options: Any) -> Ran:
        """What bob types at acme."""
        return self.run("service", *words, **options)

    def run(self, role: str, *words: str, **options: Any) -> Ran:
        """What one of them types."""
        user, name = ("anna", "globex") if role == "lead" else ("bob", "acme")
        env = {"CHIT_USER": user, "XDG_CONFIG_HOME": str(self.folder / f"{name}-config"), **options.pop("env", {})}
        return self.chit(*words, cwd=self.folder / name, env=env, **options)

    def sync(self) -> None:
        """acme exchanges with globex."""
        self.service("sync", "--remote", "globex")

    def ticket(self, *words: str) -> str:
        """A new ticket of globex."""
        return self.lead("new", "-m", "Printer on fire", *words).id

    def offered(self, *terms: str) -> str:
        """A ticket that acme was offered, and knows of."""
        ident = self.ticket()
        self.lead("outsource", ident, "acme", *(terms or TERMS))
        self.sync()
        return ident

    def accepted(self, *terms: str) -> str:
        """A ticket that acme has taken on."""
        ident = self.offered(*terms)
        self.service("accept", ident)
        self.sync()
        return ident

    def submitted(self, *terms: str) -> str:
        """A ticket that acme has worked on and submitted."""
        ident = self.accepted(*terms)
        self.service("time", "add", ident, "1h30m", "-m", "Replaced the fuser.")
        self.service("submit", ident)
        self.sync()
        return ident

    def handoff(self, role: str, ident: str) -> dict[str, Any]:
        """The newest handoff of a ticket, as one of them sees it."""
        found: dict[str, Any] = self.record(role, ident)["handoffs"][-1]
        return found

    def record(self, role: str, ident: str) -> dict[str, Any]:
        """A ticket, as one of them sees it."""
        found: dict[str, Any] = self.run(role, "show", ident, "--json").json
        return found

    def everywhere(self) -> dict[str, str]:
        """A ticket in each status; both know of it."""
        ids = {status: self.ticket() for status in STATUSES}
        sent = [status for status in STATUSES if status not in ("none", "unsent")]
        working = list(STATUSES[STATUSES.index("accepted") :])
        self.lead("outsource", ids["unsent"], "acme", *TERMS, "--draft")
        for status in sent:
            self.lead("outsource", ids[status], "acme", *TERMS)
        self.sync()
        self.lead("cancel", ids["canceled"])
        self.service("counter", ids["countered"], "--pay", "90", "-m", "Too little.")
        self.service("decline", ids["declined"], "-m", "Nobody is free.")
        self.service("accept", *(ids[status] for status in working))
        self.sync()
        for status in ("accepted", "in-progress"):
            self.service("ask", ids[status], "-m", "Which floor?")
        self.service("comment", *(ids[status] for status in working[1:]), "-m", "On my way.")
        self.service("submit", *(ids[status] for status in working[2:]))
        self.sync()
        self.lead("approve", ids["completed"])
        self.sync()
        return ids
