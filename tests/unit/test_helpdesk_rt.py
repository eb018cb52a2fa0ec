"""The adapter for Request Tracker against its stand-in: how much it asks, what it notices, what it does when things go wrong."""

import io
from collections.abc import Iterator
from contextlib import closing

import pytest

from chit_sync.errors import AccessError, NotFoundError, RemoteError
from chit_sync.helpdesks import address
from chit_sync.helpdesks.base import Call, DoubtError, Gone, Outcome, Page, RefusedError, Snapshot
from chit_sync.helpdesks.rt import RequestTracker
from chit_sync.registers import Value
from support.standins.rt import OURS, Standin
from support.standins.serving import Asked, Reply

TICKET = "kkkkkkkkllllllllmmmmmmmmnnnnnnnn"
ITEM = "kkkkkkkkllllllll"


@pytest.fixture
def site() -> Iterator[Standin]:
    """A stand-in, with which nothing may have gone against the rules."""
    with Standin() as standin:
        yield standin


@pytest.fixture
def desk(site: Standin) -> Iterator[RequestTracker]:
    """The adapter for it."""
    with closing(adapter(site)) as opened:
        yield opened


def adapter(site: Standin, query: str | None = None, secret: str | None = OURS) -> RequestTracker:
    url = site.url if query is None else f"{site.url.partition('?')[0]}?{query}"
    return RequestTracker(address.parse(url), secret)


def told(pages: list[Page]) -> list[int]:
    return [found.number for page in pages for found in page.found]


def read(desk: RequestTracker, number: int) -> Snapshot:
    (found,) = desk.read([number])
    assert isinstance(found, Snapshot)
    return found


def comment(number: int, **more: Value) -> Call:
    return Call("comment", number, ITEM, {"body": "Said", "public": True, **more})


# How much is asked


def test_requests_of_the_first_reading(site: Standin, desk: RequestTracker) -> None:
    """A thousand tickets with a note and a reply cost at most 1.2 times the fewest requests: eleven for tickets, and a hundred
    transactions or texts with each other one."""
    for n in range(1000):
        number = site.add_ticket(f"Ticket {n}", "Text")
        site.ask("POST", f"ticket/{number}/comment", {"Content": "Note", "ContentType": "text/plain"})
        site.ask("POST", f"ticket/{number}/correspond", {"Content": "Reply", "ContentType": "text/plain"})
    site.asked.clear()
    pages = list(desk.changed("", ()))
    assert [len(page.found) for page in pages] == [100] * 10
    transactions = sum(one["Type"] != "EmailRecord" for one in site.model.transactions.values())
    fewest = 11 + transactions // 100 + 1 + 3000 // 100
    assert len(site.asked) <= 1.2 * fewest
    assert all(len(found.comments) == 2 for page in pages for found in page.found if isinstance(found, Snapshot))
    assert (pages[-1].done, pages[-1].total) == (1000, 1000)


def test_requests_of_nothing(site: Standin, desk: RequestTracker) -> None:
    """A reading of nothing is two requests."""
    site.add_ticket("One")
    (page,) = desk.changed("", ())
    site.asked.clear()
    (nothing,) = desk.changed(page.cursor, {1})
    assert (nothing.found, nothing.cursor) == ([], page.cursor)
    assert site.asked == ["GET transactions"] * 2


def test_few_tickets_among_many_numbers(site: Standin) -> None:
    """Tickets of one queue that are far apart are all read, without a request for every hundred numbers."""
    numbers = [site.add_ticket(f"Ticket {n}", queue="Billing" if n % 50 == 0 else "Support") for n in range(600)]
    with closing(adapter(site, "queue=Billing")) as desk:
        site.asked.clear()
        assert told(list(desk.changed("", ()))) == numbers[::50]
        assert site.asked.count("POST tickets") <= 3


def test_first_reading_goes_on(site: Standin, desk: RequestTracker) -> None:
    """Whoever stops after any page of a first reading goes on from there, and what was done meanwhile comes in the end."""
    numbers = [site.add_ticket(f"Ticket {n}") for n in range(250)]
    cursor, found, rounds = "", list[int](), 0
    while rounds < 3:
        page = next(iter(desk.changed(cursor, set(found))))
        assert page.cursor != cursor
        cursor = page.cursor
        found += told([page])
        rounds += 1
    assert found == numbers
    site.edit(5, title="Edited meanwhile")
    assert told(list(desk.changed(cursor, set(found)))) == [5]


# What is noticed


def test_late_transaction_is_noticed(site: Standin, desk: RequestTracker) -> None:
    """What is given a number early and seen late is told of, also when nothing else is done then; once."""
    one, other = site.add_ticket("One"), site.add_ticket("Other")
    cursor = [*desk.changed("", ())][-1].cursor
    site.say(one, "Late")
    site.model.held.add(max(site.model.transactions) - 2)  # the reply, before its mail and the status
    late = [one for one in site.model.transactions.values() if one["id"] in site.model.held]
    assert [each["Type"] for each in late] == ["Correspond"]
    site.edit(other, title="Edited")
    cursor = [*desk.changed(cursor, {one, other})][-1].cursor
    site.model.held.clear()
    pages = list(desk.changed(cursor, {one, other}))
    assert told(pages) == [one]
    assert told(list(desk.changed(pages[-1].cursor, {one, other}))) == []


def test_deleted_and_merged_are_told(site: Standin, desk: RequestTracker) -> None:
    """A ticket that was deleted or merged is told of as gone if it was known, by whom and into what."""
    numbers = [site.add_ticket(f"Ticket {n}") for n in range(8)]
    cursor = [*desk.changed("", ())][-1].cursor
    site.remove(numbers[0])
    site.put(numbers[1], {"MergeInto": numbers[2]})
    found = {each.number: each for page in desk.changed(cursor, {*numbers}) for each in page.found}
    gone, merged = found[numbers[0]], found[numbers[1]]
    assert isinstance(gone, Gone)
    assert isinstance(merged, Gone)
    assert (gone.how, gone.author) == ("deleted", "agent2")
    assert (merged.how, merged.into, merged.author) == ("merged", numbers[2], "agent2")
    assert isinstance(found[numbers[2]], Snapshot)
    assert told(list(desk.changed(cursor, ()))) == [numbers[2]]


def test_query_is_followed(site: Standin) -> None:
    """A search in the server's language is followed; of what it does not find only what is known is told."""
    one, other = site.add_ticket("One"), site.add_ticket("Other", priority=70)
    with closing(
        adapter(site, "query=Priority = 70".replace("Priority = 70", "Subject = 'Other'").replace(" ", "%20"))
    ) as desk:
        pages = list(desk.changed("", ()))
        assert told(pages) == [other]
        site.edit(one, priority=20)
        site.edit(other, title="No longer")
        assert told(list(desk.changed(pages[-1].cursor, {other}))) == [other]
        assert desk.numbers() == []


def test_many_known_at_once(site: Standin, desk: RequestTracker) -> None:
    """More tickets than one answer holds are read in the order that was asked for, among them ones that are gone."""
    numbers = [site.add_ticket(f"Ticket {n}") for n in range(230)]
    site.remove(numbers[100])
    wanted = [*reversed(numbers), 9999]
    found = desk.read(wanted)
    assert [each.number for each in found] == wanted
    assert [each.number for each in found if isinstance(each, Gone)] == [numbers[100], 9999]


# What is done


def test_reply_has_a_subject_that_people_may_read(site: Standin, desk: RequestTracker) -> None:
    """A reply's subject is that of a mail with the id at its end; a note's is the id."""
    number = site.add_ticket("Printer")
    read(desk, number)
    desk.perform(comment(number))
    desk.perform(comment(number, public=False)._replace(token=ITEM[::-1]))
    said = [one["Data"] for one in site.transactions(number) if one["Type"] in ("Comment", "Correspond")]
    assert said == [f"Re: Printer [{ITEM}]\n", f"{ITEM[::-1]}\n"]


def test_repeated_delete(site: Standin, desk: RequestTracker) -> None:
    """Deleting what is deleted already, which the server answers 500, is done."""
    number = site.add_ticket("One")
    for _ in range(2):
        assert desk.perform(Call("delete", number, TICKET, {})) == Outcome(number)


def test_partly_refused_update_is_left_to_reading_back(site: Standin, desk: RequestTracker) -> None:
    """Of an update that was taken in part, the part is there and no error is told."""
    number = site.add_ticket("One")
    desk.perform(Call("update", number, TICKET, {"title": "Two", "status": "no such"}))
    assert (read(desk, number).fields["title"], read(desk, number).fields["status"]) == ("Two", "new")


def test_status_of_a_new_ticket(site: Standin, desk: RequestTracker) -> None:
    """A new ticket gets a status that new tickets may not have right after it was made."""
    made = desk.perform(Call("create", 0, TICKET, {"title": "T", "status": "stalled"}))
    assert read(desk, made.number).fields["status"] == "stalled"


# What goes wrong


CALLS = {
    "create": Call("create", 0, TICKET, {"title": "T", "description": "D", "queue": "Support"}),
    "comment": comment(1),
    "note": comment(1, public=False),
    "time": Call("time", 1, ITEM, {"minutes": 5, "date": 1_795_466_251_000_007, "note": "N"}),
    "attach": Call("attach", 1, ITEM, {"name": "a.bin", "size": 4, "public": False}),
}


@pytest.mark.parametrize("trouble", ["done_then_500", "half", "cut"])
@pytest.mark.parametrize("name", CALLS)
def test_lost_answer_is_found(site: Standin, desk: RequestTracker, name: str, trouble: str) -> None:
    """Of a call that was done and whose answer was lost, it is doubtful whether it was; looking it up tells, and it was done once."""
    call = CALLS[name]
    site.add_ticket("One")
    desk.describe()
    desk.read([1])
    assert desk.find(call, ()) is None
    before = len(site.model.attachments)
    if trouble == "done_then_500":
        site.done_then_500 = 1
    elif trouble == "half":
        site.half_page = 1
    else:
        site.cut_after = 1
    try:
        desk.perform(call, io.BytesIO(b"data"))
    except DoubtError:
        pass
    else:
        assert trouble == "half"
        assert name != "create"
    site.cut_after = None
    found = desk.find(call, ())
    assert found is not None
    assert len(site.model.attachments) > before
    if name == "create":
        assert found.number == 2
        assert desk.find(call, ("2",)) is None
    else:
        one = read(desk, 1)
        ids = [each.id for each in one.comments] + [each.id for each in one.files] + [each.id for each in one.works]
        assert ids == [found.id]


def test_done_nothing(site: Standin, desk: RequestTracker) -> None:
    """An answer of success for what was not done is noticed where that can be seen, and looking it up tells."""
    number = site.add_ticket("One")
    site.ok_not_done = 1
    with pytest.raises(RefusedError):
        desk.perform(Call("update", number, TICKET, {"title": "Two"}))
    site.ok_not_done = 1
    desk.perform(comment(number))
    assert desk.find(comment(number), ()) is None


@pytest.mark.parametrize("trouble", ["html", "redirect", "half_page"])
def test_answers_of_something_else(site: Standin, desk: RequestTracker, trouble: str) -> None:
    """A login page, a redirect, half an answer are errors in words; nothing is told of as gone or empty."""
    site.add_ticket("One")
    for ask in (lambda: list(desk.changed("", ())), lambda: desk.read([1]), lambda: [*desk.numbers()], desk.describe):
        setattr(site, trouble, 50)
        with pytest.raises(RemoteError):
            ask()
    setattr(site, trouble, 0)
    assert read(desk, 1).number == 1


def test_rate_limit(site: Standin, desk: RequestTracker) -> None:
    """Throttling is waited for, also in the middle of what must not be done twice."""
    number = site.add_ticket("One")
    site.rate_limit(1)
    desk.perform(comment(number))
    site.rate_limit(1)
    assert [one.body for one in read(desk, number).comments] == ["Said"]


@pytest.mark.parametrize("offset", [-86_400, 86_400])
def test_clock_that_is_wrong(site: Standin, desk: RequestTracker, offset: int) -> None:
    """A server whose clock is a day off loses nothing: no clock orders what was done."""
    site.add_ticket("One")
    cursor = [*desk.changed("", ())][-1].cursor
    site.clock_offset = offset
    site.edit(1, title="Two")
    assert told(list(desk.changed(cursor, {1}))) == [1]


def test_tickets_that_change_while_they_are_read(site: Standin, desk: RequestTracker) -> None:
    """Tickets that change with every list of them are read, each once, and told of again."""
    numbers = [site.add_ticket(f"Ticket {n}") for n in range(220)]
    site.shift_pages = True
    pages = list(desk.changed("", ()))
    site.shift_pages = False
    assert told(pages) == numbers
    assert told(list(desk.changed(pages[-1].cursor, {*numbers}))) != []


def test_login_and_password(site: Standin) -> None:
    """A login with a password will do; a wrong one, or nothing, is an error about access."""
    with closing(adapter(site, secret="agent1:secret-agent1")) as desk:
        assert desk.describe().account.email == "agent1@example.com"
    for secret in ("agent1:wrong", "1-28-" + "f" * 32, "nonsense", None):
        with closing(adapter(site, secret=secret)) as desk, pytest.raises(AccessError):
            list(desk.changed("", ()))


def test_queue_that_is_not_there(site: Standin) -> None:
    """A queue in the address that does not exist is told, since the server would find nothing in it."""
    with closing(adapter(site, "queue=Suport")) as desk, pytest.raises(RemoteError, match="Suport"):
        desk.describe()


@pytest.mark.parametrize("ref", ["", "x", "../1", "1/2", "-1", "99999"])
def test_files_that_are_none(site: Standin, desk: RequestTracker, ref: str) -> None:
    """A reference that is none of a file here is not followed."""
    with pytest.raises(NotFoundError):
        b"".join(desk.download(ref))


def test_description_of_the_server(site: Standin) -> None:
    """Statuses are those of the queues that are followed, the field for our id is no field of tickets, and lists tell their values."""
    with closing(adapter(site)) as desk:
        about = desk.describe()
        assert [choice.name for choice in about.statuses] == ["new", "open", "stalled", "resolved", "rejected"]
        assert [(custom.path, custom.choices) for custom in about.customs] == [
            ("x.Severity", ("Low", "Medium", "High")), ("x.Tags", ()),
        ]  # fmt: skip
        assert (about.reference, about.default_queue) == ("ExternalRef", "Support")
    number = site.add_ticket("Billing", queue="Billing")
    site.edit(number, status="open")
    with closing(adapter(site, "")) as desk:
        assert "waiting" in [choice.name for choice in desk.describe().statuses]
        assert desk.describe().default_queue == ""


def test_server_that_repeats_itself(site: Standin, desk: RequestTracker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that answers the same whatever is asked is an error, not a reading without end."""
    for n in range(3):
        site.add_ticket(f"Ticket {n}")
    cursor = [*desk.changed("", ())][-1].cursor
    site.edit(1, title="Edited")
    answer, feed = site.answer, []

    def stuck(asked: Asked) -> Reply:
        found = answer(asked)
        if (asked.method, asked.path) != ("GET", "transactions"):
            return found
        feed.append(found)
        return feed[0]

    monkeypatch.setattr(site, "answer", stuck)
    with pytest.raises(RemoteError, match="again and again"):
        list(desk.changed(cursor, {1, 2, 3}))
