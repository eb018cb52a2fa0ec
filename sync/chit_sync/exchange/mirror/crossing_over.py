"""What is said publicly in a helpdesk reaches the partner who works on the ticket, as what our own people say publicly does.

It is said once more, for the handoff and by our side's name, as a partner learns nothing of the helpdesk. Notes that are internal there
never are; nor is anything while nothing crosses, or where the ticket is with several, as nobody has said for whom it is.
"""

from chit_sync import crossing
from chit_sync.change import Change
from chit_sync.handoffs import LEAD, LIVE
from chit_sync.registers import Value
from chit_sync.store import reading
from chit_sync.store.database import Store
from chit_sync.store.making import Restated, restate

CUSTOMER = "customer"
"""Whom a partner sees in place of somebody whose name is an address, or who asked, where the handoff does not share who that is."""


def pass_on(store: Store, change: Change) -> None:
    """Passes on the replies in a change that a helpdesk made and the log has just taken; call it in the same transaction."""
    keys = [path.removesuffix("/body") for path in change.set if path.startswith("comment/") and path.endswith("/body")]
    if not keys or store.db.execute("SELECT 1 FROM partners LIMIT 1").fetchone() is None:
        return
    row = store.db.execute(
        "SELECT num FROM handoffs JOIN tickets t USING (num) WHERE t.id = ? LIMIT 1", (change.ticket,)
    ).fetchone()
    if row is None:
        return
    ticket = reading.load(store, row[0])
    live = [one for one in ticket.handoffs if one.role == LEAD and one.ruled in LIVE]
    if len(live) != 1 or live[0].text("share_comments") not in ("all", "public"):
        return
    told: list[Restated] = []
    for key in keys:
        values = ticket.item(key)
        author, time = ticket.origins[key]
        if values.get("visibility") == "public" and not values.get("to") and not values.get("deleted"):
            shown: dict[str, Value] = {**crossing.shared_values(values, "comment"), "to": live[0].id}
            hidden = not live[0].value("share_contact") and ("@" in author or author == ticket.value("requester"))
            by = crossing.qualified(CUSTOMER if hidden else author, live[0])
            told.append(Restated({f"{key}/{name}": value for name, value in shown.items()}, by, time))
    restate(store, ticket, told)
