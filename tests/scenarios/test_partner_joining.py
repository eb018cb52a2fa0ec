"""Two organisations become partners: over HTTP and over a path, with answers that get lost, and with people who try what they may not."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from chit_sync import invitation as invitations
from chit_sync import wire
from chit_sync.clock import DAY
from chit_sync.credentials import PartnerToken, find, save
from chit_sync.errors import ChitError, ConflictError, OtherStoreError, RemoteError
from chit_sync.exchange.joining import join
from chit_sync.invitation import Invitation, Joined, Joining
from chit_sync.remotes.http import HttpLog
from chit_sync.remotes.local import LocalLog
from chit_sync.store import inviting, partners, remotes, tokens
from chit_sync.store.database import Store, time_of_day
from chit_sync.store.opening import open_store
from chit_sync.store.partners import Partner
from conftest import NewStore
from support.runner import Chit
from support.server import Answers, Proxy, answering, closed_port, serving


@pytest.fixture
def lead(new_store: NewStore) -> Store:
    """The store of the organisation that invites; its clock is that of the server."""
    store = new_store("lead")
    store.now = time_of_day
    return store


@pytest.fixture
def service(new_store: NewStore) -> Store:
    """The store of the one that is invited."""
    return new_store("service")


@pytest.fixture
def config(tmp_path: Path) -> str:
    """The folder with the service partner's credentials."""
    return str(tmp_path / "config")


def _invite(lead: Store, url: str, name: str = "acme") -> Invitation:
    _, secret, _ = inviting.invite(lead, name, own="globex", expires_in=DAY)
    return invitations.read(invitations.spell(Invitation(url, lead.meta("store"), secret, "globex", name)))


def _join(service: Store, invitation: Invitation, config: str, url: str | None = None, **options: Any) -> Partner:
    """Joins as the command does; url: where to go instead."""
    keeper = PartnerToken(config, invitation.url, invitation.name)
    with closing(_log(url or invitation.url)) as log:
        return join(service, invitation, log, keeper, **options)


def _log(url: str) -> HttpLog | LocalLog:
    return HttpLog(url, timeout=5, sleep=lambda _: None) if url.startswith("http") else LocalLog(open_store(url))


def _nobody_joined(lead: Store, service: Store) -> bool:
    return tokens.listing(lead) == [] and not partners.any_here(service) and remotes.listing(service) == []


@pytest.fixture(params=["path", "http"])
def address(request: pytest.FixtureRequest, lead: Store) -> Iterator[str]:
    """Where the lead's store is."""
    if request.param == "path":
        yield lead.path
    else:
        with serving(lead.path) as address:
            yield address


def test_two_become_partners(lead: Store, service: Store, address: str, config: str) -> None:
    """Both have a row that agrees with the other's; the service partner has a remote, and a token that the lead's store knows."""
    joined = _join(service, _invite(lead, address), config, booked="Globex")
    there = partners.get(lead, "acme")
    assert (joined.name, joined.own, joined.role, joined.store) == ("globex", "acme", "lead", lead.meta("store"))
    assert (there.name, there.own, there.role, there.store) == ("acme", "globex", "service", service.meta("store"))
    assert joined.booked == "Globex"
    assert remotes.get(service, "globex").url == address
    token = PartnerToken(config, address, "acme").find()
    assert token is not None
    assert partners.of_token(lead, token) == there


def test_joining_again_changes_nothing(lead: Store, service: Store, address: str, config: str) -> None:
    """The same invitation read twice leaves the same token, row and remote."""
    invitation = _invite(lead, address)
    first = _join(service, invitation, config)
    kept = PartnerToken(config, address, "acme").find()
    assert _join(service, invitation, config) == first
    assert PartnerToken(config, address, "acme").find() == kept
    assert len(tokens.listing(lead)) == len(remotes.listing(service)) == 1


def test_a_second_store_does_not_get_in(
    lead: Store, service: Store, new_store: NewStore, address: str, config: str, tmp_path: Path
) -> None:
    """An invitation that went to two people is good for one of them, and the other one is told."""
    invitation = _invite(lead, address)
    _join(service, invitation, config)
    other = new_store("other")
    with pytest.raises(ConflictError, match="the invitation was used already"):
        _join(other, invitation, str(tmp_path / "another"))
    assert not partners.any_here(other)
    assert partners.get(lead, "acme").store == service.meta("store")


class _Broken(LocalLog):
    """A lead's store whose answer does not arrive."""

    def join(self, joining: Joining) -> Joined:
        super().join(joining)
        raise RemoteError("the answer was lost")


class _Dead(BaseException):
    """The process is gone."""


class _Dying(PartnerToken):
    """Credentials of a process that is killed before or after it keeps the token."""

    def __init__(self, config: str, address: str, own: str, when: str) -> None:
        super().__init__(config, address, own)
        self.when = when

    def begin(self, token: str) -> None:
        self._at("before begin")
        super().begin(token)
        self._at("after begin")

    def finish(self, token: str) -> None:
        self._at("before finish")
        super().finish(token)
        self._at("after finish")

    def _at(self, when: str) -> None:
        if when == self.when:
            raise _Dead


def test_a_lost_answer(lead: Store, service: Store, config: str) -> None:
    """The lead's store has taken it and nobody here knows: running it again ends where it would have ended."""
    invitation = _invite(lead, lead.path)
    keeper = PartnerToken(config, lead.path, "acme")
    with closing(_Broken(open_store(lead.path))) as log, pytest.raises(RemoteError, match="the answer was lost"):
        join(service, invitation, log, keeper)
    assert keeper.find() is None
    assert not partners.any_here(service)
    _join(service, invitation, config)
    token = keeper.find()
    assert token is not None
    assert partners.of_token(lead, token) == partners.get(lead, "acme")
    assert len(tokens.listing(lead)) == 1


def test_an_answer_that_is_cut_on_the_wire(lead: Store, service: Store, config: str) -> None:
    """A connection that breaks while the answer comes is tried again within the call, and the second answer is the first one."""
    with serving(lead.path) as address, Proxy(address) as proxy:
        proxy.cut_after = 30
        invitation = _invite(lead, proxy.address)
        with pytest.raises(RemoteError, match="broke off before the end"):
            _join(service, invitation, config)
        assert len(tokens.listing(lead)) == 1
        proxy.cut_after = None
        _join(service, invitation, config)
        assert partners.get(service, "globex").store == lead.meta("store")
        assert len(tokens.listing(lead)) == 1


@pytest.mark.parametrize("when", ["before begin", "after begin", "before finish", "after finish"])
def test_a_kill_between_any_two_steps(lead: Store, service: Store, config: str, when: str) -> None:
    """Wherever it stopped, running it again makes one partner with one token that is good."""
    invitation = _invite(lead, lead.path)
    with closing(LocalLog(open_store(lead.path))) as log, pytest.raises(_Dead):
        join(service, invitation, log, _Dying(config, lead.path, "acme", when))
    _join(service, invitation, config)
    token = PartnerToken(config, lead.path, "acme").find()
    assert token is not None
    assert partners.of_token(lead, token) == partners.get(lead, "acme")
    assert len(tokens.listing(lead)) == len(remotes.listing(service)) == 1


def test_a_wrong_invitation_does_not_cost_the_token(lead: Store, service: Store, config: str, address: str) -> None:
    """A joining that is refused leaves the token of the partnership that there is."""
    invitation = _invite(lead, address)
    _join(service, invitation, config)
    before = PartnerToken(config, address, "acme").find()
    with pytest.raises(ChitError, match="the invitation is not known"):
        _join(service, invitation._replace(secret="x" * 43), config)
    assert PartnerToken(config, address, "acme").find() == before
    token = before or ""
    assert partners.of_token(lead, token) is not None


def test_a_token_of_a_person_for_the_same_address_stays(lead: Store, service: Store, config: str) -> None:
    """Whoever also has a person's token there has both afterwards, and what the environment holds is not sent to a partner."""
    with serving(lead.path) as address:
        save(config, address, "chit_person")
        _join(service, _invite(lead, address), config)
        found = find(address, {}, config)
    assert found is not None
    assert found.token == "chit_person"
    assert PartnerToken(config, address, "acme").find() not in (None, "chit_person")


def test_two_stores_of_one_person_for_one_lead(
    lead: Store, service: Store, new_store: NewStore, config: str, address: str
) -> None:
    """Two partners whose credentials lie in one file have a token each, and do not learn of each other."""
    other = new_store("other")
    _join(service, _invite(lead, address), config)
    _join(other, _invite(lead, address, "umbrella"), config)
    for name in ("acme", "umbrella"):
        token = PartnerToken(config, address, name).find()
        found = partners.of_token(lead, token or "")
        assert found is not None
        assert found.name == name
    assert [partner.name for partner in partners.listing(other)] == ["globex"]


def test_coming_back_after_the_end(lead: Store, service: Store, config: str, address: str) -> None:
    """Ended on both sides and invited again: the same rows and the same remote, with a token that replaces the old one."""
    first = _join(service, _invite(lead, address), config)
    old = PartnerToken(config, address, "acme").find() or ""
    partners.end(lead, "acme")
    partners.end(service, "globex")
    assert _join(service, _invite(lead, address), config) == first
    new = PartnerToken(config, address, "acme").find() or ""
    assert partners.of_token(lead, old) is None
    assert partners.of_token(lead, new) == partners.get(lead, "acme")


def test_nothing_is_asked_when_this_store_cannot_join(lead: Store, service: Store, config: str) -> None:
    """What is wrong here is said before the lead's store hears of it: the invitation is still good."""
    invitation = _invite(lead, lead.path)
    remotes.add(service, "globex", "/srv/desk")
    with pytest.raises(ConflictError, match="there is a remote globex already"):
        _join(service, invitation, config)
    assert tokens.listing(lead) == []
    assert not Path(config).exists()
    assert _join(service, invitation, config, remote="globex-desk").name == "globex"


def test_two_at_once(lead: Store, new_store: NewStore, tmp_path: Path, address: str) -> None:
    """Of two stores that use one invitation at the same moment exactly one gets in."""
    invitation = _invite(lead, address)
    paths = [new_store(f"service-{number}").path for number in range(4)]
    start = threading.Barrier(len(paths))
    ended: dict[str, str] = {}

    def run(path: str) -> None:
        with open_store(path) as store:
            start.wait(20)
            try:
                _join(store, invitation, str(tmp_path / f"config-{Path(path).name}"))
                ended[path] = "joined"
            except ConflictError as error:
                ended[path] = error.message

    threads = [threading.Thread(target=run, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(ended) == len(paths)
    assert sorted(text == "joined" for text in ended.values()) == [False, False, False, True]
    assert all("was used already" in text for text in ended.values() if text != "joined")
    assert len(tokens.listing(lead)) == 1


def _answer(**values: object) -> Answers:
    body = json.dumps(values).encode()
    return lambda method, path: (200, {"Content-Type": wire.JSON}, body)


@pytest.mark.parametrize(
    ("answers", "kind", "message"),
    [
        (_answer(store="l" * 32, name="globex", own="acme"), OtherStoreError, "is another store than the invitation says"),
        (_answer(name="globex", own="acme"), RemoteError, "does not answer like a chit server"),
        (_answer(), RemoteError, "does not answer like a chit server"),
        (lambda method, path: (200, {"Content-Type": "text/html"}, b"<html>"), RemoteError, "answers with a web page"),
        (lambda method, path: (302, {"Location": "https://login.example.com"}, b""), RemoteError, "a redirect"),
        (lambda method, path: (404, {"Content-Type": "text/plain"}, b""), RemoteError, "answers 404"),
        (lambda method, path: (200, {"Content-Type": wire.JSON}, b"x" * 5_000), RemoteError, "does not answer like"),
    ],
)  # fmt: skip
def test_what_is_no_lead(
    lead: Store, service: Store, config: str, answers: Answers, kind: type[ChitError], message: str
) -> None:
    """Anything else at the address is said in words, and nothing is made of it."""
    with answering(answers) as address, pytest.raises(kind, match=message):
        _join(service, _invite(lead, address), config)
    assert _nobody_joined(lead, service)
    assert PartnerToken(config, lead.path, "acme").find() is None


@pytest.mark.parametrize("change", [{"lead": "initech"}, {"name": "umbrella"}])
def test_names_that_were_changed_on_the_way(lead: Store, service: Store, config: str, change: dict[str, str]) -> None:
    """What the lead's store says of the names holds; an invitation that says otherwise is not believed."""
    invitation = _invite(lead, lead.path)._replace(**change)
    with pytest.raises(RemoteError, match="the invitation says otherwise"):
        _join(service, invitation, config)
    assert not partners.any_here(service)
    assert PartnerToken(config, lead.path, invitation.name).find() is None


def test_nobody_there(lead: Store, service: Store, config: str) -> None:
    """An address at which nobody listens is named, and that it can be tried again."""
    with pytest.raises(RemoteError, match="cannot connect to") as caught:
        _join(service, _invite(lead, closed_port()), config)
    assert "safe to run it again" in caught.value.hint
    assert _nobody_joined(lead, service)


@contextmanager
def _client(lead: Store) -> Iterator[httpx.Client]:
    with serving(lead.path) as address, httpx.Client(base_url=address, trust_env=False) as client:
        yield client


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "bad-request"),
        (b"[]", 400, "bad-request"),
        (b"\xff\xfe", 400, "bad-request"),
        (b"[" * 3_000, 400, "bad-request"),
        (b'{"secret":1}', 400, "bad-request"),
        (b"x" * 5_000, 413, "too-large"),
    ],
    ids=["nothing", "a list", "no text", "deep", "a number", "too long"],
)
def test_nonsense_sent_to_the_server(lead: Store, body: bytes, status: int, code: str) -> None:
    """Whoever has no invitation gets an error, and little of the server's time."""
    with _client(lead) as client:
        response = client.post("/v1/partner", content=body)
        problem = response.json()
        assert (response.status_code, problem["code"]) == (status, code)
        assert client.get("/v1/partner").status_code == 405
    assert tokens.listing(lead) == []


def test_the_server_tells_nothing_to_whoever_has_no_invitation(lead: Store) -> None:
    """A guess is answered the same whether or not there are partners, and no token or name is in the answer."""
    joining = Joining("x" * 43, tokens.PREFIX + "t" * 43, "l" * 32, lead.meta("store"))
    with _client(lead) as client:
        first = client.post("/v1/partner", content=invitations.write_joining(joining))
        _invite(lead, "https://desk.example.com")
        second = client.post("/v1/partner", content=invitations.write_joining(joining))
    assert first.status_code == 403
    assert first.json() == second.json()
    assert "acme" not in first.text


# On the command line


@pytest.fixture
def desks(chit: Chit) -> tuple[Path, Path]:
    """Folders with a store each: of the lead, of the service partner."""
    folders = chit.folder / "globex", chit.folder / "acme"
    for folder in folders:
        folder.mkdir()
        chit("init", cwd=folder)
    return folders


def test_the_story(chit: Chit, desks: tuple[Path, Path]) -> None:
    """Invite, join from standard input, list, end; each says on standard error what is next."""
    globex, acme = desks
    with serving(str(globex / ".chit")) as address:
        invited = chit("partner", "invite", "acme", "--as", "globex", "--url", address, cwd=globex)
        assert "a secret, good once, until " in invited.err
        assert "`chit partner join -`" in invited.err
        assert chit("partner", "list", "--fields", "name,role,state", cwd=globex).out == "acme\tservice\tinvited\n"
        joined = chit("partner", "join", "-", "--organization", "Globex customers", cwd=acme, stdin=invited.out)
    assert joined.id == "globex"
    assert joined.err == "joined globex as acme; `chit pull --remote globex` takes what is offered\n"
    (here,) = chit("partner", "list", "--json", cwd=acme).json
    (there,) = chit("partner", "list", "--json", cwd=globex).json
    assert (here["role"], here["state"], here["remote"], here["organization"]) == (
        "lead",
        "joined",
        "globex",
        "Globex customers",
    )
    assert (there["role"], there["state"], there["remote"]) == ("service", "joined", None)
    assert list(here) == list(there)
    assert chit("remote", "list", cwd=acme).out == f"globex\t{address}\n"
    assert chit("partner", "invite", "acme", cwd=globex, code=5).err.startswith("error: acme has joined already")
    assert chit("partner", "end", "acme", cwd=globex).id == "acme"
    assert "was ended before" in chit("partner", "end", "acme", cwd=globex).err
    assert chit("partner", "list", "--fields", "state", cwd=globex).out == "ended\n"


def test_on_one_machine(chit: Chit, desks: tuple[Path, Path]) -> None:
    """Without an address the invitation names the store's folder, which is said; it is joined without a server."""
    globex, acme = desks
    invited = chit("partner", "invite", "acme", "--as", "globex", cwd=globex)
    assert "it is good on this machine only" in invited.err
    chit("partner", "join", invited.id, cwd=acme)
    assert chit("partner", "join", invited.id, cwd=acme).id == "globex"
    assert chit("partner", "list", "--fields", "name,state", cwd=globex).out == "acme\tjoined\n"


def test_the_names_come_from_the_settings(chit: Chit, desks: tuple[Path, Path]) -> None:
    """--as and --url hold before partner.name and partner.url; without any of them the last name that was used holds."""
    globex, _ = desks
    nobody = chit("partner", "invite", "acme", cwd=globex, code=2)
    assert nobody.err == (
        "error: nobody knows what this organisation is called\n"
        "hint: Say --as NAME, or `chit config set partner.name NAME`.\n"
    )
    chit("config", "set", "partner.name", "globex", cwd=globex)
    chit("config", "set", "partner.url", "https://desk.example.com", cwd=globex)

    def invited(*words: str) -> tuple[str, str]:
        record = chit("partner", "invite", "acme", *words, "--json", cwd=globex).json
        assert invitations.read(record["invitation"]).url == record["url"]
        return record["own"], record["url"]

    assert invited() == ("globex", "https://desk.example.com")
    assert invited("--as", "g2", "--url", "https://other.example.com") == ("g2", "https://other.example.com")
    chit("config", "set", "--unset", "partner.name", cwd=globex)
    assert invited() == ("g2", "https://desk.example.com")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("invite", "acme", "--as", "acme"), 2, "acme would be the name of both organisations"),
        (("invite", "a b", "--as", "globex"), 2, "'a b' cannot name an organisation"),
        (("invite", "acme", "--as", "globex", "--url", "desk.example.com"), 2, "the invitation's address is none"),
        (("invite", "acme", "--as", "globex", "--url", "https://a:b@desk.example.com"), 2, "the invitation's address is none"),
        (("invite", "acme", "--as", "globex", "--expires", "soon"), 2, "'soon' is not a time"),
        (("invite", "acme", "--as", "globex", "--expires", "100d"), 2, "an invitation is good for up to 90 days"),
        (("join", "chit1_abc"), 2, "the invitation cannot be read; was it cut?"),
        (("join", "chit_abc"), 2, "this is not an invitation"),
        (("end", "acme"), 3, "no partner 'acme'"),
        (("end", "acme", "--role", "friend"), 2, "invalid value for '--role'"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, Sequence) else None,
)  # fmt: skip
def test_what_is_refused(chit: Chit, desks: tuple[Path, Path], words: tuple[str, ...], code: int, message: str) -> None:
    """Each mistake has its words and its exit code, and leaves nothing behind."""
    ran = chit("partner", *words, cwd=desks[0], code=code)
    assert ran.err.startswith(f"error: {message}")
    assert ran.out == ""
    assert chit("partner", "list", cwd=desks[0]).out == ""


@pytest.mark.parametrize("given", [b"", b"\xff\xfe\x00", b"chit1_" + b"a" * 100_000, b"\n\n"])
def test_what_is_piped_in_may_be_anything(chit: Chit, desks: tuple[Path, Path], given: bytes) -> None:
    """What is no invitation on standard input is a usage error."""
    assert "invitation" in chit("partner", "join", "-", cwd=desks[1], stdin=given, code=2).err


def test_a_path_on_another_machine(chit: Chit, desks: tuple[Path, Path]) -> None:
    """An invitation with a path that does not lead to a store here says why."""
    globex, acme = desks
    word = chit("partner", "invite", "acme", "--as", "globex", cwd=globex).id
    globex.rename(globex.with_name("away"))
    ran = chit("partner", "join", word, cwd=acme, code=3)
    assert "there is no store at" in ran.err
    assert "A path is good on the machine where the invitation was made" in ran.err


def test_plain_http_is_warned_of(chit: Chit, desks: tuple[Path, Path]) -> None:
    """Where others can read what goes by, both sides are told."""
    globex, acme = desks
    invited = chit("partner", "invite", "acme", "--as", "globex", "--url", "http://desk.example.com", cwd=globex)
    assert "warning: the partner's token goes over plain HTTP" in invited.err
    assert "warning: the partner's token" in chit("partner", "join", "-n", invited.id, cwd=acme).err


def test_a_new_address_keeps_the_token(chit: Chit, desks: tuple[Path, Path]) -> None:
    """When the lead moves, `remote set-url` is enough."""
    globex, acme = desks
    chit("partner", "join", chit("partner", "invite", "acme", "--as", "globex", cwd=globex).id, cwd=acme)
    config = str(Path.home() / ".config" / "chit")
    with open_store(str(globex / ".chit")) as store:
        token = PartnerToken(config, store.path, "acme").find()
    assert token
    chit("remote", "set-url", "globex", "https://new.example.com/", cwd=acme)
    assert PartnerToken(config, "https://new.example.com", "acme").find() == token


def test_rights_are_given_to_tokens(chit: Chit, desks: tuple[Path, Path]) -> None:
    """`token create --right` says what the bearer may do around partners; the list shows it."""
    made = chit("token", "create", "berta", "--right", "finance", "--right", "accept", "--json", cwd=desks[0]).json
    assert made["rights"] == ["accept", "finance"]
    chit("token", "create", "carl", cwd=desks[0])
    chit("token", "create", "dora", "--scope", "reader", cwd=desks[0])
    shown = chit("token", "list", "--fields", "name,rights", cwd=desks[0]).out
    assert shown == "berta\taccept,finance\ncarl\toutsource,accept\ndora\t\n"
    assert "there is no right 'fly'" in chit("token", "create", "x", "--right", "fly", cwd=desks[0], code=2).err
    assert "`chit partner invite NAME`" in chit("token", "create", "x", "--scope", "partner", cwd=desks[0], code=2).err
