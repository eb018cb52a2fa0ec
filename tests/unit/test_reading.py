"""Finding tickets by what people call them, and loading them whole."""

import pytest

from chit_sync.authoring import Edit, comment_paths, link_paths
from chit_sync.errors import AmbiguousError, NotFoundError, StoreError
from chit_sync.store import reading
from chit_sync.store.database import Store
from chit_sync.store.making import new_item
from chit_sync.store.reading import find, load, load_many
from support.stores import Clock, change, new, write

ONE, TWO = "kkk" + "z" * 29, "kkl" + "z" * 29


@pytest.fixture
def two(store: Store) -> Store:
    """A store with two tickets whose ids begin alike."""
    write(store, Edit(None, {"title": "one"}, ident=ONE), Edit(None, {"title": "two"}, ident=TWO))
    return store


@pytest.mark.parametrize(("name", "number"), [("1", 1), ("002", 2), ("kkk", 1), (TWO, 2), ("kkl" + "z" * 20, 2)])
def test_find(two: Store, name: str, number: int) -> None:
    """A ticket is found by its number, its id, or any beginning of it that no other has."""
    assert find(two, name) == number


@pytest.mark.parametrize(
    "name",
    [
        "3",
        "0",
        "z",
        ONE + "z",
        "",
        " ",
        "K",
        "kk k",
        "k'",
        "1.0",
        "-1",
        "१",
        "9" * 40,
        "#",
        "#3",
        "origin#1",
        "k%",
        "\udcff",
    ],
)
def test_not_found(two: Store, name: str) -> None:
    """What names no ticket is refused in words, however strange."""
    with pytest.raises(NotFoundError):
        find(two, name)


def test_ambiguous(two: Store) -> None:
    """A beginning that several ids have lists them with their titles; with very many, some."""
    with pytest.raises(AmbiguousError, match="kk could be 2 tickets") as error:
        find(two, "kk")
    assert error.value.candidates == [f"{ONE}  one", f"{TWO}  two"]
    write(two, *[Edit(None, {"title": "t"}, ident="m" * 30 + f"{a}{b}") for a in "klmn" for b in "klmn"])
    with pytest.raises(AmbiguousError, match="could be over 10 tickets") as error:
        find(two, "m")
    assert len(error.value.candidates) == 10


def test_numbers_of_remotes(two: Store) -> None:
    """With a remote a bare number is the default remote's, and NAME#NUMBER any remote's; this store's own means nothing then."""
    two.db.execute("INSERT INTO remotes (id, name, url) VALUES (1, 'desk', 'u'), (2, 'origin', 'u')")
    two.db.execute("INSERT INTO numbers VALUES (1, 17, 1), (2, 18, 2)")
    assert find(two, "18") == find(two, "origin#18") == find(two, "#18") == 2
    assert find(two, "desk#17") == 1
    assert [(one.remote, one.number) for one in load(two, 1).elsewhere] == [("desk", 17)]
    for name in ("17", "1", "desk#18"):
        with pytest.raises(NotFoundError, match="at the remote"):
            find(two, name)
    with pytest.raises(NotFoundError, match="no remote 'nowhere'"):
        find(two, "nowhere#1")


def test_whole(store: Store, clock: Clock) -> None:
    """A loaded ticket has its fields, its conversation in order of time, and where its bytes are not."""
    ticket = new(store, title="Printer", status="resolved")
    for text in ("first", "second", "third"):
        clock.now += 1_000_000
        write(store, Edit(ticket, comment_paths(new_item(store), text, "public")), by="bob")
    sha256 = "ab" * 32
    write(store, Edit(ticket, {"attachment/k/name": "a.log", "attachment/k/sha256": sha256, "attachment/k/size": 3}))
    loaded = load(store, 1)
    assert [comment.body for comment in loaded.comments] == ["first", "second", "third"]
    assert (loaded.created, loaded.updated) == (clock.now - 3_000_000, clock.now + 1)
    assert loaded.category == "resolved"
    assert [(one.name, one.size, one.here) for one in loaded.attachments] == [("a.log", 3, False)]
    assert reading.blob_path("/s", sha256) == "/s/blobs/ab/" + "ab" * 31


def test_attachment_that_only_a_helpdesk_has(store: Store) -> None:
    """An attachment of which no more is known than its name is not here, and has no hash."""
    write(store, Edit(new(store), {"attachment/k/name": "a.log", "attachment/k/size": 3}))
    (found,) = load(store, 1).attachments
    assert (found.name, found.sha256, found.here) == ("a.log", "", False)
    assert load(store, 1).record()["attachments"][0]["sha256"] is None


def test_deleted_items_do_not_show(store: Store) -> None:
    """What was deleted of a ticket does not show, and is not found by its words."""
    ticket = change(store, new(store), comment_paths("kk", "unique words", "public"))
    after = change(store, ticket, {"comment/kk/deleted": True})
    assert after.comments == []
    assert store.db.execute("SELECT count(*) FROM search WHERE search MATCH 'unique'").fetchone()[0] == 0
    again = change(store, after, {"comment/kk/deleted": None})
    assert [comment.body for comment in again.comments] == ["unique words"]
    assert store.db.execute("SELECT count(*) FROM search WHERE search MATCH 'unique'").fetchone()[0] == 1


def test_links_in_an_order_of_their_own(store: Store) -> None:
    """Links come by kind and ticket, not in the order in which this store learned of them; of deleted tickets none."""
    middle = new(store, title="middle")
    others = [new(store, title=str(n)) for n in range(6)]
    for other in others[3:]:
        write(store, Edit(other, link_paths("blocks", other.id, middle.id)))
    for kind, other in zip(("follows", "blocks", "relates"), others[:3], strict=True):
        middle = change(store, middle, link_paths(kind, middle.id, other.id))
    own, from_others = middle.links[:3], load(store, 1).links[3:]
    assert [link.kind for link in own] == ["blocks", "follows", "relates"]
    assert [link.ticket for link in from_others] == sorted(other.id for other in others[3:])
    change(store, others[5], {"deleted": True})
    assert len(load(store, 1).links) == 5


def test_link_to_a_ticket_that_is_not_here(store: Store) -> None:
    """A link to a ticket that this store does not have has no title."""
    ticket = new(store)
    assert change(store, ticket, link_paths("blocks", ticket.id, "z" * 32)).links[0].title is None


def test_many(two: Store) -> None:
    """Several are loaded in the order asked for; one that is not there fails the whole."""
    assert [ticket.title for ticket in load_many(two, [2, 1])] == ["two", "one"]
    with pytest.raises(NotFoundError, match="no ticket 3"):
        load_many(two, [1, 3])


def test_damaged(two: Store) -> None:
    """A table that is gone shows as a damage of the store, in words."""
    two.db.execute("PRAGMA writable_schema = ON")
    two.db.execute("UPDATE sqlite_master SET rootpage = 9999 WHERE name = 'registers'")
    two.db.execute("PRAGMA writable_schema = RESET")
    with pytest.raises(StoreError, match="is damaged"):
        load(two, 1)
