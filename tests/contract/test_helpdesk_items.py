"""What every adapter of a helpdesk must do with what lies on tickets: comments, files, time, links; and with merges and deletions."""

import io

import pytest

from chit_sync.errors import ChitError, NotFoundError
from chit_sync.helpdesks.base import Call, Comment, File, Gone, RefusedError, Snapshot, Tie, Work
from chit_sync.registers import Value
from chit_sync.schema import LINK_KINDS
from support.sites import WHEN, Sides, attach, attaching, item_token

SAID = {
    "plain": "Have you tried to turn it off and on again?",
    "emoji": "👩🏽‍🚒 on her way 🖨️",
    "cjk": "打印机着火了 プリンター",
    "rtl": "הדפסת \u202bمرحبا\u202c (1)",
    "markup": "<b>&amp; **bold** %s ${x} {{ ticket.title }} {% x %} {# c #} {{{ }}} \\ ' \" `",
    "crlf": "First\r\nsecond\r\n",
    "blanks": "  \n two before, lines around \n\n",
    "number": "see #1 and ticket 1",
    "60 kB": "Zeile mit ä und 打印机, and so on.\n" * 1500,
}
FILES = {
    "plain": ("log.txt", b"all is well\n"),
    "binary": ("image.png", bytes(range(256)) * 64),
    "non-ASCII name": ("größe – 日本語.bin", b"\0\r\n\xff" * 1000),
    "hostile name": ("a \"b\" 'c'; d=%41&e+f.txt", b"x"),
    "no extension": ("README", b"\n"),
    "script": ("setup.exe", b"MZ\x90\0"),
    "3 MB": ("large.bin", bytes(range(251)) * 12_500),
}


def _bytes(desk: Sides, file: File) -> bytes:
    return b"".join(desk.here.download(file.ref))


def _comment(found: Snapshot, id: str) -> Comment:
    (comment,) = (each for each in found.comments if each.id == id)
    return comment


@pytest.mark.parametrize("text", SAID.values(), ids=SAID)
@pytest.mark.parametrize("public", [True, False], ids=["reply", "note"])
def test_comment_round_trip(desk: Sides, text: str, public: bool) -> None:
    """A comment is read as `stored` says that it is kept, by us, as public as it was sent, with our id or none."""
    made = desk.create()
    token = item_token()
    call = Call("comment", made.number, token, {"body": text, "public": public})
    if not desk.writes("replies" if public else "notes"):
        desk.refuses(call)
        return
    outcome = desk.here.perform(call)
    found = desk.read(made.number)
    (comment,) = found.comments
    assert comment.body == desk.here.stored("comment", text)
    assert comment.public is public
    assert comment.author == desk.about.account.key
    assert comment.token in ("", token)
    assert outcome.id in ("", comment.id)
    assert comment.id
    assert found.fields == desk.read(made.number).fields
    assert found.fields["title"] == made.fields["title"]


def test_other_side_has_it(desk: Sides) -> None:
    """What is done here is there for who looks without the adapter."""
    made = desk.create("Seen from there", "The text")
    desk.do("comment", made.number, body="Said here", public=True)
    attach(desk, made.number, "here.txt", b"attached here")
    there = desk.there.tickets()[made.number]
    assert (there["title"], there["description"]) == ("Seen from there", "The text")
    assert there["comments"] == [("Said here", True)]
    assert there["files"] == [("here.txt", b"attached here")]
    assert there["token"] == made.token


def test_comments_keep_their_order(desk: Sides) -> None:
    """Comments are read in the order in which they were written, each with an id of its own, also those of the same text."""
    made = desk.create()
    for text in ("One", "Two", "Two", "Three"):
        desk.do("comment", made.number, body=text, public=True)
    found = desk.read(made.number).comments
    assert [comment.body for comment in found] == ["One", "Two", "Two", "Three"]
    assert len({comment.id for comment in found}) == 4


def test_comments_of_theirs(desk: Sides) -> None:
    """What somebody says there is read, with its author and whether the requester sees it, and is no item of ours."""
    number = desk.there.add_ticket("Theirs", "Filed there")
    desk.there.say(number, "Seen by all", True)
    if desk.about.features["notes"].read:
        desk.there.say(number, "Seen by staff", False)
    found = desk.read(number).comments
    assert [(each.body, each.public) for each in found] == [("Seen by all", True), ("Seen by staff", False)][
        : len(found)
    ]
    assert len(found) == 1 + desk.about.features["notes"].read
    assert {each.token for each in found} == {""}
    assert desk.about.account.key not in {each.author for each in found}


@pytest.mark.parametrize("body", ["", " \n "])
def test_empty_comment(desk: Sides, body: str) -> None:
    """A comment without text is refused or kept; it is never done in part."""
    made = desk.create()
    try:
        desk.do("comment", made.number, body=body, public=True)
    except RefusedError:
        assert desk.read(made.number).comments == made.comments
    else:
        assert [each.body for each in desk.read(made.number).comments] == [desk.here.stored("comment", body) or ""]


@pytest.mark.parametrize(("name", "data"), FILES.values(), ids=FILES)
def test_file_round_trip(desk: Sides, name: str, data: bytes) -> None:
    """A file comes back byte for byte under its name; or it is refused, and is not there."""
    made = desk.create()
    assert desk.writes("attachments")
    token = item_token()
    try:
        outcome = attach(desk, made.number, name, data, token)
    except RefusedError:
        assert desk.read(made.number).files == ()
        assert name == FILES["script"][0], "only what could do harm may be refused"
        return
    (file,) = desk.read(made.number).files
    assert file.name == desk.here.stored("filename", name)
    assert _bytes(desk, file) == data
    assert file.size in (-1, len(data))
    assert file.author == desk.about.account.key
    assert file.token in ("", token)
    assert outcome.id in ("", file.id)
    assert desk.read(made.number).fields["title"] == made.fields["title"]


def test_empty_file(desk: Sides) -> None:
    """An empty file is refused or comes back empty."""
    made = desk.create()
    try:
        attach(desk, made.number, "empty.txt", b"")
    except RefusedError:
        assert list(desk.read(made.number).files) == []
    else:
        (file,) = desk.read(made.number).files
        assert _bytes(desk, file) == b""


def test_internal_file(desk: Sides) -> None:
    """A file that the requester must not see is attached so, or refused."""
    made = desk.create()
    try:
        attach(desk, made.number, "internal.txt", b"for staff", public=False)
    except RefusedError:
        assert list(desk.read(made.number).files) == []
    else:
        (file,) = desk.read(made.number).files
        assert not file.public


def test_file_over_the_limit(desk: Sides) -> None:
    """A file that is larger than the helpdesk takes is refused, and nothing of it is there."""
    limit = desk.about.limits.get("attachment", 0)
    if not 0 < limit <= 16_000_000:
        return
    made = desk.create()
    data = b"x" * (limit + 1)
    desk.refuses(attaching(made.number, "too-large.txt", data), file=io.BytesIO(data))
    attach(desk, made.number, "just-right.txt", data[1:])
    assert [each.name for each in desk.read(made.number).files] == ["just-right.txt"]


def test_files_of_theirs(desk: Sides) -> None:
    """What somebody attaches there is read, byte for byte, as theirs."""
    name, data = FILES["non-ASCII name"]
    number = desk.there.add_ticket("Theirs", "Filed there")
    desk.there.attach(number, "größe – 日本語.txt", data)
    (file,) = desk.read(number).files
    assert file.name == "größe – 日本語.txt"
    assert name != file.name
    assert _bytes(desk, file) == data
    assert file.token == ""
    assert file.author != desk.about.account.key


def test_file_that_is_not_there(desk: Sides) -> None:
    """The bytes of a file that was deleted are not found; a reference from elsewhere is never followed."""
    made = desk.create()
    attach(desk, made.number, "gone.txt", b"soon gone")
    (file,) = desk.read(made.number).files
    if desk.writes("attachment deletions"):
        desk.do("delete-attachment", made.number, id=file.id)
        with pytest.raises(NotFoundError):
            _bytes(desk, file)
    for ref in ("99999999/99999999", "http://desk.example.com/file", "../../etc/passwd", ""):
        with pytest.raises(ChitError):
            b"".join(desk.here.download(ref))


def test_comment_is_rewritten(desk: Sides) -> None:
    """A comment is rewritten, and is the same comment; or that is refused."""
    made = desk.create()
    desk.do("comment", made.number, body="First words", public=True)
    (said,) = desk.read(made.number).comments
    if not desk.writes("comment edits"):
        desk.refuses(Call("edit-comment", made.number, item_token(), {"body": "Other words"}, said.id))
        return
    for text in (SAID["markup"], SAID["crlf"]):
        desk.do("edit-comment", made.number, id=said.id, body=text)
        (now,) = desk.read(made.number).comments
        assert now == said._replace(body=str(desk.here.stored("comment", text)))


DELETABLE = {
    "delete-comment": "comment deletions",
    "delete-attachment": "attachment deletions",
    "delete-time": "time edits",
}


@pytest.mark.parametrize("verb", DELETABLE)
def test_item_is_deleted(desk: Sides, verb: str) -> None:
    """A comment, a file, time is deleted, and what lies beside it stays; or that is refused."""
    made = desk.create()
    if verb == "delete-time" and not desk.writes("time"):
        desk.refuses(Call(verb, made.number, item_token(), {}, "1"))
        return
    for n in range(2):
        if verb == "delete-comment":
            desk.do("comment", made.number, body=f"Comment {n}", public=True)
        elif verb == "delete-attachment":
            attach(desk, made.number, f"file-{n}.txt", b"data %d" % n)
        else:
            desk.do("time", made.number, minutes=10 + n, date=WHEN, note=f"Work {n}")
    found = desk.read(made.number)
    items: dict[str, list[str]] = {
        "delete-comment": [each.id for each in found.comments],
        "delete-attachment": [each.id for each in found.files],
        "delete-time": [each.id for each in found.works],
    }
    one, other = items[verb]
    call = Call(verb, made.number, item_token(), {}, one)
    if not desk.writes(DELETABLE[verb]):
        desk.refuses(call)
        return
    desk.here.perform(call)
    left = desk.read(made.number)
    ids = {
        "delete-comment": [each.id for each in left.comments],
        "delete-attachment": [each.id for each in left.files],
        "delete-time": [each.id for each in left.works],
    }
    assert ids[verb] == [other]


def test_time_round_trip(desk: Sides) -> None:
    """Time is read as it was sent, by us, on its day, with its note; rewriting it leaves one entry. Or it is refused."""
    made = desk.create()
    token = item_token()
    call = Call("time", made.number, token, {"minutes": 75, "date": WHEN, "note": "Größe 🖨 gemessen"})
    if not desk.writes("time"):
        desk.refuses(call)
        return
    desk.here.perform(call)
    (work,) = desk.read(made.number).works
    assert work.minutes == desk.here.stored("time.minutes", 75) == 75
    assert work.date == desk.here.stored("time.date", WHEN)
    assert work.note == desk.here.stored("time.note", "Größe 🖨 gemessen")
    assert work.author == desk.about.account.key
    assert work.token in ("", token)
    again = Call("edit-time", made.number, item_token(), {"minutes": 90, "date": WHEN, "note": "Longer"}, work.id)
    if not desk.writes("time edits"):
        desk.refuses(again)
        return
    desk.here.perform(again)
    (now,) = desk.read(made.number).works
    assert (now.id, now.minutes, now.note) == (work.id, 90, "Longer")


@pytest.mark.parametrize("minutes", [1, 2, 7, 20, 59, 60, 61, 100, 599])
def test_minutes_survive(desk: Sides, minutes: int) -> None:
    """No number of minutes is rounded on the way."""
    if desk.writes("time"):
        made = desk.create()
        desk.do("time", made.number, minutes=minutes, date=WHEN, note="")
        (work,) = desk.read(made.number).works
        assert isinstance(work, Work)
        assert work.minutes == minutes


@pytest.mark.parametrize("kind", LINK_KINDS)
def test_link_there_and_back(desk: Sides, kind: str) -> None:
    """A link of each kind is made, read once and taken away, or refused; the other ticket is the one that was meant."""
    made, other = desk.create(), desk.create("Other")
    call = Call("link", made.number, item_token(), {"kind": kind, "other": other.number})
    try:
        desk.here.perform(call)
    except RefusedError:
        assert list(desk.read(made.number).ties) == []
        return
    assert desk.writes("links"), "a link was made where links are said not to be written"
    assert list(desk.read(made.number).ties) == [Tie(kind, other.number)]
    desk.do("unlink", made.number, kind=kind, other=other.number)
    assert list(desk.read(made.number).ties) == []
    assert list(desk.read(other.number).ties) == []


def test_links_are_written(desk: Sides) -> None:
    """Where links are said to be written, those of some kind are; one to no ticket is refused."""
    made, other = desk.create(), desk.create("Other")
    written = []
    for kind in LINK_KINDS:
        try:
            desk.do("link", made.number, kind=kind, other=other.number)
        except RefusedError:
            continue
        written.append(kind)
        desk.do("unlink", made.number, kind=kind, other=other.number)
        desk.refuses(Call("link", made.number, item_token(), {"kind": kind, "other": 99_999_999}))
    assert bool(written) is desk.writes("links")
    assert list(desk.read(made.number).ties) == []


def test_merge(desk: Sides) -> None:
    """A ticket that was merged is gone into the other one, which is still there; or that is refused."""
    made, target = desk.create("Merged"), desk.create("Target")
    call = Call("merge", made.number, made.token, {"into": target.number})
    if not desk.writes("merges"):
        desk.refuses(call)
        return
    desk.here.perform(call)
    (gone,) = desk.here.read([made.number])
    assert isinstance(gone, Gone)
    assert (gone.how, gone.into) == ("merged", target.number)
    assert desk.read(target.number).fields["title"] == "Target"
    assert made.number not in set(desk.here.numbers())


def test_delete(desk: Sides) -> None:
    """A ticket that was deleted is gone, and only that one; or it is refused."""
    made, other = desk.create("Deleted"), desk.create("Stays")
    call = Call("delete", made.number, made.token, {})
    if not desk.writes("deletions"):
        desk.refuses(call)
        return
    desk.here.perform(call)
    (gone,) = desk.here.read([made.number])
    assert isinstance(gone, Gone)
    assert gone.how in ("deleted", "hidden")
    assert desk.read(other.number).fields["title"] == "Stays"
    assert made.number not in set(desk.here.numbers())


@pytest.mark.parametrize("verb", ["edit-comment", "delete-comment", "delete-attachment", "edit-time", "delete-time"])
def test_item_that_is_not_there(desk: Sides, verb: str) -> None:
    """What is to be done to an item that does not exist is refused."""
    made = desk.create()
    fields: dict[str, dict[str, Value]] = {
        "edit-comment": {"body": "x"},
        "edit-time": {"minutes": 5, "date": WHEN, "note": "x"},
    }
    desk.refuses(Call(verb, made.number, item_token(), fields.get(verb, {}), "99999999"))
