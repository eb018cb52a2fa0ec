"""Two people who share a team's store and follow the same real helpdesk, each pulling and pushing both: everybody sees everything, once."""

from collections import Counter
from pathlib import Path

import pytest

from chit_sync.exchange.syncing import sync
from chit_sync.remotes.local import LocalLog
from chit_sync.store import remotes
from chit_sync.store.database import Store
from chit_sync.store.opening import create
from support.following import BYTES, KINDS, NAME, Following, here, sha256, site_of, there, wall, word
from support.helpdesks import Servers
from support.mirroring import quiet
from support.sites import open_adapter

ORDERS = ("abAB", "ABab")
"""Who exchanges in which order: small letters with the helpdesk, capitals with the team's store."""


def _colleague(servers: Servers, kind: str, folder: Path, site_url: str, first: Following) -> Following:
    """Somebody else with an account of their own."""
    account = servers[kind]["accounts"]["agent2"]
    secret = account["token"] or f"{account['login']}:{account['password']}"
    other = Following(folder / "ben", first.site, desk=open_adapter(site_url, secret))
    other.name = "agent2"
    return other


def _exchange(one: Following, team: Store) -> None:
    sync(one.store, remotes.get(one.store, "team"), LocalLog(team, team.path, writable=True))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", KINDS)
def test_everything_is_seen_once(kind: str, order: str, servers: Servers, tmp_path: Path) -> None:
    """Tickets, comments, files and changes of both, and of others there, are there once for everybody and in the helpdesk."""
    with site_of(kind, servers) as site, create(str(tmp_path / "team"), now=wall) as team:
        anna = Following(tmp_path / "anna", site)
        ben = _colleague(servers, kind, tmp_path, site.url, anna)
        people = {"a": anna, "b": ben}
        try:
            for one in people.values():
                remotes.add(one.store, "team", team.path)
            (tmp_path / NAME).write_bytes(BYTES)
            theirs, mine, his, title = (word() for _ in range(4))
            number = site.add_ticket(theirs, "It was there before.")
            for one in people.values():
                one.pull()
            said = [word() for _ in range(3)]
            anna.say(anna.ticket(number), said[0])
            anna.say(anna.ticket(number), "the same words")
            ben.say(ben.ticket(number), said[1])
            ben.say(ben.ticket(number), "the same words")
            anna.edit(anna.ticket(number), {"title": title})
            made = anna.new(title=mine, description="As it was filed.")
            anna.attach(made, tmp_path / NAME)
            ben.new(title=his, description="As it was filed.")
            site.say(number, said[2])
            for letter in 4 * order:
                one = people[letter.lower()]
                if letter.isupper():
                    _exchange(one, team)
                else:
                    one.sync()
            titles = {theirs, title, mine, his}
            wanted = there(site, titles)
            assert Counter(one.title for one in wanted) == Counter({title: 1, mine: 1, his: 1})
            comments = {body for one in wanted for body, _ in one.comments}
            assert comments == {*said, "the same words"}
            assert sum(len(one.comments) for one in wanted) == 5
            assert [one.files for one in wanted if one.title == mine] == [((NAME, sha256(BYTES)),)]
            for one in people.values():
                one.bytes()
                assert here(one, titles) == wanted
                assert not [ticket.title for ticket in one.tickets() if ticket.conflicts]
            for one in people.values():
                quiet(one)
        finally:
            for one in people.values():
                one.close()
