"""What `chit help queries` says. The names come from the tables that the language itself works by."""

from chit_sync.query.compile import IS, SORTS
from chit_sync.query.fields import HANDOFFS
from chit_sync.query.presence import HAS
from chit_sync.times import HINT

HELP = f"""\
Queries, for `chit list`, `--query` and saved views. A query is made of terms; a blank means AND.

  status:open label:ci,flaky assignee:none due:..7d "disk full" sort:-updated

Terms
  printer              a word in the title, the description or a comment; print* a beginning of one
  "disk full"          a phrase; quote what holds a colon, too: "http://example.com"
  field:value          field:a,b is any of several; quote a value that holds a blank or a comma: queue:"first line"
  a b   a AND b        both                 a OR b    one of them, binding less tightly than AND
  -a    NOT a          what a does not find (NOT needs no quotes in a shell)        (a OR b) c    parentheses

Values
  none  any            no value, any value                  @me       you, for assignee, requester, author
  a  a*  =a  ~a        a; what begins with a; a, even with a * in it; what contains a. Upper or lower case is the same
  a..b  a..  ..b       from a to b, both included; also > >= < <= (quote these in a shell)

Fields
  title description comment       words in that part of the ticket
  id link                         the beginning of an id; the ticket itself, or what is linked with it
  number                          12, 12..15, or REMOTE#12
  status category                 a status of this store; what it means: new open pending review resolved closed rejected
  priority impact                 names, priority also by number; high.. is high or more urgent
  type queue assignee requester organization contract product author label
  partner                         whom it is outsourced to, or who outsourced it to you
  handoff                         how far that is: {" ".join(HANDOFFS[:4])}
                                  {" ".join(HANDOFFS[4:])}
  created updated closed due      times: a date is that whole day; 7d alone is within 7 days, back or, for due, ahead
  x.NAME                          a field of your own; numbers compare as numbers

  is:   {" ".join(IS[:8])}
        {" ".join(IS[8:])}
  has: no:   {" ".join(HAS[:9])}
        {" ".join(HAS[9:])} x.NAME
  sort:      {" ".join(SORTS)}; -updated is the newest first

{HINT}

A query that says nothing about state finds open tickets only. It finds closed ones too if it looks for words, names tickets (id, number,
link), or speaks of status, category, closed, handoff, is:open, is:closed, is:merged, is:conflict, is:unpushed or is:offered. Deleted
tickets are found only where is:deleted is spoken of. What a lead offers you is none of your tickets yet: it is found by its words, its
name, partner, handoff, is:offered, is:conflict and is:unpushed. Open tickets are listed by urgency, then the latest first; anything else
the latest first.
"""
