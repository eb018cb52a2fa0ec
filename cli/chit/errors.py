"""Exit codes: which error of the library ends with which, and the hint where the library has none."""

from chit_sync import errors

GENERIC = 1
USAGE = 2
NOT_FOUND = 3
ACCESS = 4
CONFLICT = 5
REMOTE = 6
POLICY = 7
PARTIAL = 8
STORE = 9
DIFFERENT = 10
INTERRUPTED = 130
PIPE = 141

_TABLE: tuple[tuple[type[errors.ChitError], int, str], ...] = (
    (errors.UsageError, USAGE, ""),
    (errors.NotFoundError, NOT_FOUND, ""),
    (
        errors.AccessError,
        ACCESS,
        "`chit auth login` asks for a token and keeps it; CHIT_TOKEN and CHIT_TOKEN_FILE give one.",
    ),
    (errors.ConflictError, CONFLICT, ""),
    (errors.RemoteError, REMOTE, "Nothing was lost; run the same command again."),
    (errors.PolicyError, POLICY, ""),
    (errors.PartialError, PARTIAL, ""),
    (errors.StoreError, STORE, ""),
)

MEANINGS = {
    0: "done; also: nothing found, already so, queued",
    GENERIC: "an error not listed below",
    USAGE: "usage: bad flags, a value missing with no terminal to ask on, a query that does not parse",
    NOT_FOUND: "not found, or an ambiguous prefix",
    ACCESS: "not authenticated, or not allowed",
    CONFLICT: "conflict: unresolved conflicts, a transition that is not possible now, a push that was refused",
    REMOTE: "remote unreachable, timed out or failing after retries: safe to run again",
    POLICY: "refused by policy: hook, limit, agreement",
    PARTIAL: "a batch in which some items failed",
    STORE: "store busy or damaged",
    DIFFERENT: "only with --exit-code: there are differences or results",
    INTERRUPTED: "interrupted",
    PIPE: "the reader of the pipe went away",
}
"""Every exit code and what it means; `chit help exit-codes` prints it."""


def exit_code(error: errors.ChitError) -> int:
    """The exit code of an error of the library."""
    return next((code for kind, code, _ in _TABLE if isinstance(error, kind)), GENERIC)


def hint_for(error: errors.ChitError) -> str:
    """What to do about it where the error itself does not say."""
    return next((hint for kind, _, hint in _TABLE if isinstance(error, kind)), "")
