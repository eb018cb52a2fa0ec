"""The store's tables, as an ordered list of steps. A step that was released is never changed; a new one is added.

`changes`, `operations`, `remotes`, `refusals`, `incoming`, `numbers`, `tokens`, `partners`, `invitations`, `outbound`,
`partner_blobs`, `bases`, `calls`, `troubles` and `meta` are the truth. Every other table is a cache, made from `changes` alone by
`reproject`.
"""

import sqlite3
from collections.abc import Callable

APPLICATION_ID = 0x63686974
"""`chit` in ASCII, in SQLite's application_id, so that another program's database is not taken for a store."""

ITEM_BITS = 24
"""items.pk = ticket's number << ITEM_BITS | the item's place in it; place 0 is the ticket's own text in `search`."""


def _m1(db: sqlite3.Connection) -> None:
    for statement in _M1.split(";\n"):
        db.execute(statement)


_M1 = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;

-- The log. seq: the order in which this store took the changes. ticket: tickets.num. origin: a remote known to have it, 0 for
-- made here, -1 for a store that pushed it here or a remote that is gone.
CREATE TABLE changes (
    seq INTEGER PRIMARY KEY, id BLOB NOT NULL, ticket INTEGER NOT NULL, origin INTEGER NOT NULL, body BLOB NOT NULL);
CREATE UNIQUE INDEX changes_id ON changes (id);
CREATE INDEX changes_ticket ON changes (ticket);

-- What a command did, for undo: it made the changes first..last.
CREATE TABLE operations (
    id INTEGER PRIMARY KEY, time INTEGER NOT NULL, command TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL);

-- pulled: how far we have read their log. fetched: the same, with what waits in `incoming`. pushed: how far they have read ours.
CREATE TABLE remotes (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, url TEXT NOT NULL, store TEXT,
    pulled INTEGER NOT NULL DEFAULT 0, fetched INTEGER NOT NULL DEFAULT 0, pushed INTEGER NOT NULL DEFAULT 0,
    contact INTEGER);
CREATE TABLE refusals (
    remote INTEGER NOT NULL, seq INTEGER NOT NULL, time INTEGER NOT NULL, reason TEXT NOT NULL,
    PRIMARY KEY (remote, seq)) WITHOUT ROWID;
CREATE TABLE incoming (
    remote INTEGER NOT NULL, seq INTEGER NOT NULL, number INTEGER NOT NULL, id BLOB NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (remote, seq)) WITHOUT ROWID;
CREATE TABLE tokens (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, scope TEXT NOT NULL, hash BLOB NOT NULL UNIQUE,
    created INTEGER NOT NULL, revoked INTEGER, rights TEXT NOT NULL DEFAULT '');

-- Other organisations. role: what they are to us, lead or service. own: what they call us. store: their identity. remote: where our lead
-- is. token: what our service partner comes with. booked: the organisation on which a lead's tickets are booked here. fetched: up to
-- which place of its sequence it was handed out.
CREATE TABLE partners (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, own TEXT NOT NULL, role TEXT NOT NULL, store TEXT, remote INTEGER, token INTEGER,
    created INTEGER NOT NULL, ended INTEGER, booked TEXT, fetched INTEGER NOT NULL DEFAULT 0, UNIQUE (role, name));
CREATE TABLE invitations (
    hash BLOB PRIMARY KEY, partner INTEGER NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL, used TEXT) WITHOUT ROWID;

-- Which of our changes are for which partner, in the order in which they became so. place: a partner's own sequence. refused: why
-- the partner did not take it; what is in it is held back then.
CREATE TABLE outbound (
    partner INTEGER NOT NULL, place INTEGER NOT NULL, seq INTEGER NOT NULL, refused TEXT,
    PRIMARY KEY (partner, place)) WITHOUT ROWID;
CREATE INDEX outbound_seq ON outbound (seq);
-- The attachments whose bytes a partner may have: those that we sent a change about, and those that it uploaded.
CREATE TABLE partner_blobs (partner INTEGER NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (partner, sha256)) WITHOUT ROWID;

-- A ticket has one narrow row to list and filter by, and one wide row with its registers: {path: [[seq, value], …]}.
CREATE TABLE tickets (
    num INTEGER PRIMARY KEY, id TEXT NOT NULL, title TEXT, status TEXT, priority INTEGER NOT NULL, impact TEXT, type TEXT,
    queue TEXT, assignee TEXT, requester TEXT, organization TEXT, contract TEXT, product TEXT, due INTEGER, emergency INTEGER,
    state INTEGER NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL, author TEXT NOT NULL);
CREATE UNIQUE INDEX tickets_id ON tickets (id);
CREATE INDEX tickets_open ON tickets (priority, updated DESC) WHERE state = 0;
CREATE INDEX tickets_updated ON tickets (updated);
CREATE INDEX tickets_due ON tickets (due) WHERE due IS NOT NULL;
CREATE TABLE registers (num INTEGER PRIMARY KEY, fields TEXT NOT NULL);

-- pk: ticket's num * 2^24 + the item's place in the ticket, so that a ticket's items lie together. key: KIND/ID. ref: a link's target.
CREATE TABLE items (
    pk INTEGER PRIMARY KEY, key TEXT NOT NULL, author TEXT NOT NULL, time INTEGER NOT NULL, ref TEXT, fields TEXT NOT NULL);
CREATE INDEX items_key ON items (key);
CREATE INDEX items_ref ON items (ref) WHERE ref IS NOT NULL;
-- Moves that were refused, by the place in the log at which that was learned, and those that nobody has ruled on.
CREATE INDEX items_untaken ON items (json_extract(fields, '$.ruling[0][0]'))
    WHERE key GLOB 'move/*' AND json_extract(fields, '$.ruling[0][1]') IS NOT 'taken';
CREATE TABLE labels (label TEXT NOT NULL, num INTEGER NOT NULL, PRIMARY KEY (label, num)) WITHOUT ROWID;
CREATE TABLE conflicts (num INTEGER NOT NULL, path TEXT NOT NULL, PRIMARY KEY (num, path)) WITHOUT ROWID;

-- One row a handoff. pk: that of its item. role: ours. partner: the other organisation. status: as it is shown; ruled: as the lead's
-- store has it. authorized, used: minutes. questions: open ones. held: items held back. pending: moves that wait for a ruling. countered:
-- other terms are proposed. current: the open one of its ticket and role, else the last.
CREATE TABLE handoffs (
    pk INTEGER PRIMARY KEY, num INTEGER NOT NULL, id TEXT NOT NULL, role TEXT NOT NULL, partner TEXT NOT NULL, status TEXT NOT NULL,
    ruled TEXT, since INTEGER, accept_by INTEGER, complete_by INTEGER, authorized INTEGER, used INTEGER NOT NULL,
    questions INTEGER NOT NULL, held INTEGER NOT NULL, pending INTEGER NOT NULL, countered INTEGER NOT NULL, current INTEGER NOT NULL);
CREATE INDEX handoffs_num ON handoffs (num);
CREATE INDEX handoffs_status ON handoffs (role, status, since) WHERE current = 1;
CREATE INDEX handoffs_accept ON handoffs (status, accept_by) WHERE current = 1 AND accept_by IS NOT NULL;
CREATE INDEX handoffs_complete ON handoffs (status, complete_by) WHERE current = 1 AND complete_by IS NOT NULL;
CREATE INDEX handoffs_noted ON handoffs (role) WHERE questions + held + pending + countered > 0;

-- Changes that are named by an `over` and have not arrived.
CREATE TABLE missing (id BLOB PRIMARY KEY) WITHOUT ROWID;

-- Helpdesks. bases: what was last read of a ticket there, by its number there. calls: what was asked for and is not known to have
-- been done; ticket: this store's number. troubles: what came and could not be taken in.
CREATE TABLE bases (remote INTEGER NOT NULL, number INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (remote, number)) WITHOUT ROWID;
CREATE TABLE calls (
    id INTEGER PRIMARY KEY, remote INTEGER NOT NULL, ticket INTEGER NOT NULL, key TEXT NOT NULL, body BLOB NOT NULL,
    time INTEGER NOT NULL);
CREATE TABLE troubles (
    remote INTEGER NOT NULL, number INTEGER NOT NULL, path TEXT NOT NULL, reason TEXT NOT NULL, time INTEGER NOT NULL,
    PRIMARY KEY (remote, number, path)) WITHOUT ROWID;

-- What remotes call our tickets.
CREATE TABLE numbers (
    remote INTEGER NOT NULL, number INTEGER NOT NULL, num INTEGER NOT NULL, PRIMARY KEY (remote, number)) WITHOUT ROWID;
CREATE INDEX numbers_num ON numbers (num);

-- rowid: num * 2^24 for title and description, items.pk for a comment.
CREATE VIRTUAL TABLE search USING fts5 (title, body, content='', tokenize='unicode61 remove_diacritics 2')
"""

MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_m1,)
"""Step n (from 1) leads from version n - 1 to version n; the version is SQLite's user_version."""

VERSION = len(MIGRATIONS)
