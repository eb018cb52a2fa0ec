"""The rows of partners: who may be one, how one becomes one, and that it happens once."""

from collections.abc import Callable

import pytest

from chit_sync import policy
from chit_sync.clock import DAY, HOUR
from chit_sync.errors import (
    AccessError,
    AmbiguousError,
    ChitError,
    ConflictError,
    NotFoundError,
    OtherStoreError,
    UsageError,
)
from chit_sync.invitation import Invitation, Joined, Joining
from chit_sync.store import inviting, partners, remotes, tokens
from chit_sync.store.database import Store
from chit_sync.store.partners import Partner
from conftest import NewStore
from support.stores import Clock, entropy

WEEK = 7 * DAY
OTHERS = "m" * 32
THIRD = "n" * 32


def _token(seed: object = "acme") -> str:
    return tokens.PREFIX + entropy(seed)(16).hex() * 2


def _invited(store: Store, name: str = "acme", own: str = "globex") -> Joining:
    """Invites; what the partner will send."""
    _, secret, _ = inviting.invite(store, name, own=own, expires_in=WEEK)
    return Joining(secret, _token(name), OTHERS, store.meta("store"))


def _has_joined(store: Store, name: str = "acme", own: str = "globex") -> Joining:
    joining = _invited(store, name, own)
    inviting.accept_invitation(store, joining)
    return joining


def _invitation(lead: str = "globex", name: str = "acme", store: str = OTHERS) -> Invitation:
    return Invitation("https://desk.example.com", store, "s" * 43, lead, name)


def test_nobody_is_there_at_first(store: Store) -> None:
    """A store has no partners, and it is cheap to know."""
    assert not partners.any_here(store)
    assert partners.listing(store) == []
    assert partners.own_name(store) is None
    with pytest.raises(NotFoundError, match="no partner 'acme'") as caught:
        partners.get(store, "acme")
    assert "chit partner list" in caught.value.hint


def test_an_invited_partner_is_known_and_has_no_token(store: Store) -> None:
    """Inviting makes the row; nobody can come yet."""
    invited, secret, until = inviting.invite(store, "acme", own="globex", expires_in=WEEK)
    assert invited == partners.get(store, "acme")
    assert invited[1:] == ("acme", "globex", "service", None, None, None, store.now(), None, None)
    assert until == store.now() + WEEK
    assert len(secret) == 43
    assert partners.any_here(store)
    assert partners.state(store, invited) == "invited"
    assert partners.of_token(store, secret) is None
    assert partners.own_name(store) == "globex"


def test_the_secret_is_nowhere_in_the_store(store: Store) -> None:
    """What is kept of an invitation and of a token cannot be used to come."""
    joining = _has_joined(store)
    rows = [*store.db.execute("SELECT * FROM invitations"), *store.db.execute("SELECT * FROM tokens")]
    assert joining.secret not in repr(rows)
    assert joining.token not in repr(rows)


def test_a_dry_run_invites_nobody(store: Store) -> None:
    """With dry_run there is nothing afterwards."""
    inviting.invite(store, "acme", own="globex", expires_in=WEEK, dry_run=True)
    assert not partners.any_here(store)


def test_joining_gives_the_token_and_the_names(store: Store) -> None:
    """Whoever has the invitation is the partner from now on, and is told what it needs to know."""
    joining = _invited(store)
    assert inviting.accept_invitation(store, joining) == Joined(store.meta("store"), "globex", "acme")
    partner = partners.of_token(store, joining.token)
    assert partner == partners.get(store, "acme")
    assert (partner.name, partner.store, partner.ended) == ("acme", OTHERS, None)
    assert partners.state(store, partner) == "joined"
    assert partner.token is not None
    assert partners.of_token_id(store, partner.token) == partner
    (token,) = tokens.listing(store)
    assert (token.name, token.scope, token.rights) == ("partner acme", "partner", "")
    assert tokens.scope_of(store, joining.token) == policy.PARTNER


def test_the_same_joining_again_is_answered_the_same(store: Store, clock: Clock) -> None:
    """The answer may have been lost: asking again changes nothing, even after the invitation would have expired."""
    joining = _invited(store)
    first = inviting.accept_invitation(store, joining)
    rows = tokens.listing(store)
    clock.now += 2 * WEEK
    assert inviting.accept_invitation(store, joining) == first
    assert tokens.listing(store) == rows


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"store": THIRD}, ConflictError, "was used already"),
        ({"token": _token("other")}, ConflictError, "was used already"),
        ({"secret": "x" * 43}, AccessError, "is not known"),
        ({"lead": THIRD}, OtherStoreError, "is for another store"),
    ],
)
def test_an_invitation_is_good_once(store: Store, change: dict[str, str], kind: type[ChitError], message: str) -> None:
    """After the joining nobody else gets in with it, and nothing changes."""
    joining = _has_joined(store)
    before = (partners.listing(store), tokens.listing(store))
    with pytest.raises(kind, match=message):
        inviting.accept_invitation(store, joining._replace(**change))
    assert (partners.listing(store), tokens.listing(store)) == before


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"secret": "x" * 43}, AccessError, "is not known"),
        ({"lead": THIRD}, OtherStoreError, "is for another store"),
        ({"token": "x" * 43}, UsageError, "no token of a partner"),
    ],
)
def test_what_does_not_get_in(store: Store, change: dict[str, str], kind: type[ChitError], message: str) -> None:
    """A wrong secret, another store, a token of another kind: refused, and the invitation is still good."""
    joining = _invited(store)
    with pytest.raises(kind, match=message):
        inviting.accept_invitation(store, joining._replace(**change))
    inviting.accept_invitation(store, joining)


def test_a_store_is_not_its_own_partner(store: Store) -> None:
    """Neither by joining itself nor by reading its own invitation."""
    joining = _invited(store)
    with pytest.raises(ConflictError, match="cannot be its own partner"):
        inviting.accept_invitation(store, joining._replace(store=store.meta("store")))
    with pytest.raises(ConflictError, match="is from this very store"):
        inviting.joined(store, _invitation(store=store.meta("store")))


def test_an_invitation_expires(store: Store, clock: Clock) -> None:
    """After its time it is refused, and the list says so."""
    joining = _invited(store)
    clock.now += WEEK
    assert partners.state(store, partners.get(store, "acme")) == "expired"
    with pytest.raises(ConflictError, match="the invitation has expired"):
        inviting.accept_invitation(store, joining)
    assert tokens.listing(store) == []


@pytest.mark.parametrize("span", [0, -1, 91 * DAY])
def test_how_long_an_invitation_may_be_good(store: Store, span: int) -> None:
    """It ends after now, and within a quarter of a year."""
    with pytest.raises(UsageError, match="good for up to 90 days"):
        inviting.invite(store, "acme", own="globex", expires_in=span)


def test_inviting_again_makes_the_earlier_invitation_void(store: Store) -> None:
    """One who has not joined gets a new invitation; the old one is not known any more."""
    old = _invited(store)
    new = _invited(store, own="globex-eu")
    with pytest.raises(AccessError, match="is not known"):
        inviting.accept_invitation(store, old)
    assert inviting.accept_invitation(store, new).name == "globex-eu"
    assert len(partners.listing(store)) == 1


def test_one_who_has_joined_is_not_invited_again(store: Store) -> None:
    """That would be for nothing, or would take its place."""
    _has_joined(store)
    with pytest.raises(ConflictError, match="acme has joined already") as caught:
        inviting.invite(store, "acme", own="globex", expires_in=WEEK)
    assert "chit partner end acme" in caught.value.hint


def test_a_partner_whose_token_was_revoked_can_be_invited_again(store: Store) -> None:
    """A revoked token locks the partner out, which is shown, and a new joining lets it in."""
    old = _has_joined(store)
    tokens.revoke(store, "partner acme")
    assert partners.of_token(store, old.token) is None
    assert partners.state(store, partners.get(store, "acme")) == "revoked"
    with pytest.raises(ConflictError, match="was revoked"):
        inviting.accept_invitation(store, old)
    _, secret, _ = inviting.invite(store, "acme", own="globex", expires_in=WEEK)
    with pytest.raises(ConflictError, match="the token is in use already"):
        inviting.accept_invitation(store, old._replace(secret=secret))
    inviting.accept_invitation(store, old._replace(secret=secret, token=_token("new")))
    assert partners.state(store, partners.get(store, "acme")) == "joined"


def test_a_store_joins_once(store: Store) -> None:
    """One store cannot be two partners: each ticket would be there twice."""
    _has_joined(store, "acme")
    second = _invited(store, "umbrella")
    with pytest.raises(ConflictError, match="this store has joined already, as acme"):
        inviting.accept_invitation(store, second)
    inviting.accept_invitation(store, second._replace(store=THIRD))


def test_an_ended_partnership(store: Store, clock: Clock) -> None:
    """It is marked, the token stays good for what runs, and ending it again is no news."""
    joining = _has_joined(store)
    clock.now += HOUR
    ended = partners.end(store, "acme")
    assert ended.ended == clock.now
    assert partners.state(store, ended) == "ended"
    assert partners.of_token(store, joining.token) == ended
    clock.now += HOUR
    assert partners.end(store, "acme") == ended
    with pytest.raises(ConflictError, match="the partnership was ended"):
        inviting.accept_invitation(store, joining)


def test_a_dry_run_ends_nothing(store: Store) -> None:
    """With dry_run it shows what it would be."""
    _has_joined(store)
    assert partners.end(store, "acme", dry_run=True).ended is not None
    assert partners.get(store, "acme").ended is None


def test_ending_makes_an_invitation_void(store: Store) -> None:
    """One that is still on its way does not bring the partner in."""
    joining = _invited(store)
    partners.end(store, "acme")
    assert partners.state(store, partners.get(store, "acme")) == "ended"
    with pytest.raises(ConflictError, match="the partnership was ended"):
        inviting.accept_invitation(store, joining)


def test_an_ended_partner_can_come_back(store: Store) -> None:
    """Invited again it stays ended until it joins; then it is the same partner, with a new token instead of the old one."""
    old = _has_joined(store)
    before = partners.end(store, "acme")
    _, secret, _ = inviting.invite(store, "acme", own="globex", expires_in=WEEK)
    waiting = partners.get(store, "acme")
    assert waiting.ended is not None
    assert partners.state(store, waiting) == "invited"
    inviting.accept_invitation(store, old._replace(secret=secret, token=_token("new"), store=THIRD))
    after = partners.get(store, "acme")
    assert (after.id, after.ended, after.store) == (before.id, None, THIRD)
    assert partners.of_token(store, old.token) is None
    assert partners.of_token(store, _token("new")) == after
    with pytest.raises(ConflictError, match="was used already"):
        inviting.accept_invitation(store, old)


def test_a_partner_keeps_knowing_us_by_one_name(store: Store) -> None:
    """What was agreed on under a name stays under it: a former partner is not invited by another one."""
    _has_joined(store)
    partners.end(store, "acme")
    with pytest.raises(ConflictError, match="acme knows this organisation as globex"):
        inviting.invite(store, "acme", own="initech", expires_in=WEEK)


@pytest.mark.parametrize("name", ["", "a b", "a@b", "a/b", "a#b", "a,b", "12", "x" * 41, "a\u200bb", "\x1b"])
def test_names_that_no_organisation_can_have(store: Store, name: str) -> None:
    """Neither a partner nor this organisation: authors are spelled with them."""
    for pair in ((name, "globex"), ("acme", name)):
        with pytest.raises(UsageError, match="cannot name an organisation"):
            inviting.invite(store, pair[0], own=pair[1], expires_in=WEEK)


def test_two_organisations_have_two_names(store: Store) -> None:
    """Not even by a capital letter are they to be told apart."""
    with pytest.raises(UsageError, match="the name of both"):
        inviting.invite(store, "Globex", own="globex", expires_in=WEEK)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (
            lambda store: inviting.invite(store, "globex", own="x", expires_in=WEEK),
            "is what this organisation is called",
        ),
        (lambda store: inviting.invite(store, "x", own="ACME", expires_in=WEEK), "is the name of a partner already"),
        (lambda store: inviting.joined(store, _invitation("globex", "x")), "is what this organisation is called"),
        (lambda store: inviting.joined(store, _invitation("x", "acme")), "is the name of a partner already"),
    ],
)
def test_our_name_is_never_that_of_another_partner(store: Store, act: Callable[[Store], object], message: str) -> None:
    """What one partner wrote must never pass for ours towards another one."""
    _has_joined(store)
    with pytest.raises(ConflictError, match=message):
        act(store)
    assert len(partners.listing(store)) == 1


def test_a_lead_is_a_partner_with_a_remote(store: Store) -> None:
    """The service partner's side: the remote is named as the lead, and leads back to it."""
    lead = inviting.joined(store, _invitation(), booked="Globex customers")
    assert (lead.name, lead.own, lead.role, lead.store) == ("globex", "acme", "lead", OTHERS)
    assert lead.booked == "Globex customers"
    remote = remotes.get(store, "globex")
    assert remote.url == "https://desk.example.com"
    assert lead.remote == remote.id
    assert partners.of_remote(store, remote.id) == lead
    assert partners.of_remote(store, remote.id + 1) is None
    assert partners.state(store, lead) == "joined"
    assert partners.own_name(store) == "acme"


def test_joining_again_changes_nothing_but_what_is_said(store: Store) -> None:
    """The same lead stays one row with one remote; a new organisation to book on holds."""
    first = inviting.joined(store, _invitation(), booked="A")
    assert inviting.joined(store, _invitation(), remote="other") == first
    assert inviting.joined(store, _invitation(), booked="B") == first._replace(booked="B")
    assert len(remotes.listing(store)) == 1


def test_the_remote_can_have_another_name(store: Store) -> None:
    """Where the lead's name is taken by a remote, another one is asked for; the partner is still called what it is."""
    remotes.add(store, "globex", "/srv/desk")
    with pytest.raises(ConflictError, match="there is a remote globex already") as caught:
        inviting.joined(store, _invitation())
    assert "--name" in caught.value.hint
    lead = inviting.joined(store, _invitation(), remote="globex-desk")
    assert lead.name == "globex"
    assert lead.remote == remotes.get(store, "globex-desk").id
    with pytest.raises(UsageError, match="cannot name a remote"):
        inviting.check_joining(store, _invitation("initech", store=THIRD), "a b")


def test_another_store_does_not_take_a_leads_place(store: Store) -> None:
    """An invitation that says to be from a lead that there is, and is of another store, is refused until the first is ended."""
    inviting.joined(store, _invitation())
    with pytest.raises(ConflictError, match="there is a lead globex already, whose store is another one"):
        inviting.joined(store, _invitation(store=THIRD))
    with pytest.raises(ConflictError, match="this store works for that one already, which is called globex"):
        inviting.joined(store, _invitation("initech"))
    first = partners.end(store, "globex")
    back = inviting.joined(store, _invitation(store=THIRD))
    assert (back.id, back.store, back.ended) == (first.id, THIRD, None)


def test_the_remote_of_a_lead_is_kept_while_it_is_one(store: Store) -> None:
    """It cannot be forgotten by accident; afterwards no other remote is ever taken for it."""
    inviting.joined(store, _invitation())
    with pytest.raises(ConflictError, match="globex is the store of the partner globex"):
        remotes.remove(store, "globex")
    partners.end(store, "globex")
    remotes.remove(store, "globex")
    later = remotes.add(store, "later", "/srv/other")
    assert partners.of_remote(store, later.id) is None
    assert partners.get(store, "globex").remote is None
    assert inviting.joined(store, _invitation()).remote == remotes.get(store, "globex").id


def test_two_organisations_can_lead_each_other(store: Store) -> None:
    """One may be lead and service partner at once; then it is asked which is meant."""
    _has_joined(store)
    inviting.joined(store, _invitation("acme", "globex"))
    with pytest.raises(AmbiguousError, match="acme is lead and service partner at once") as caught:
        partners.get(store, "acme")
    assert caught.value.candidates == ["acme (lead)", "acme (service)"]
    assert partners.end(store, "acme", role="lead").role == "lead"
    assert partners.get(store, "acme").role == "service"
    assert partners.get(store, "acme", "lead").ended is not None


def test_who_is_not_a_partner(store: Store) -> None:
    """A person's token is no partner's, and none is made by hand."""
    _, secret = tokens.create(store, "anna", "admin")
    assert partners.of_token(store, secret) is None
    with pytest.raises(UsageError, match="a partner's token is not made by hand"):
        tokens.create(store, "acme", "partner")


def test_two_stores_have_their_own_partners(new_store: NewStore) -> None:
    """Lead and service partner, each with its row, agree on the names."""
    lead, service = new_store("lead"), new_store("service")
    invited, secret, _ = inviting.invite(lead, "acme", own="globex", expires_in=WEEK)
    invitation = Invitation("/srv/lead", lead.meta("store"), secret, invited.own, invited.name)
    answer = inviting.accept_invitation(lead, Joining(secret, _token(), service.meta("store"), invitation.store))
    here: Partner = inviting.joined(service, invitation)
    there = partners.get(lead, "acme")
    assert (here.name, here.own, here.store) == (there.own, there.name, answer.store)
    assert there.store == service.meta("store")


RIGHTS = {
    ("admin", ""): {"outsource", "accept", "partners", "finance"},
    ("agent", ""): {"outsource", "accept"},
    ("reader", ""): set(),
    ("partner", ""): set(),
    ("agent", "accept finance"): {"accept", "finance"},
    ("reader", "partners"): {"partners"},
    ("admin", "none"): set(),
}


@pytest.mark.parametrize(("scope", "given"), RIGHTS)
def test_rights(scope: str, given: str) -> None:
    """A scope has its rights; what a token was given stands in their place."""
    held = {right for right in (*policy.RIGHTS, "other") if policy.holds(scope, given, right)}
    assert held == RIGHTS[scope, given]


def test_rights_of_tokens(store: Store) -> None:
    """They are kept with the token, each once, in the order of the table; what is no right is refused."""
    for rights, kept in (((), ""), (("finance", "accept", "finance"), "accept finance"), (("none",), "none")):
        token, secret = tokens.create(store, f"token {kept}", "agent", rights=rights)
        assert token.rights == kept
        assert tokens.of_secret(store, secret) == token
    with pytest.raises(UsageError, match="there is no right 'fly'"):
        tokens.create(store, "x", "agent", rights=["fly"])
    with pytest.raises(UsageError, match="contradict"):
        tokens.create(store, "x", "agent", rights=["none", "accept"])
