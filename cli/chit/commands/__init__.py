"""One command, or one noun's group of commands, a file. The table says which there are, without importing them."""

from typing import NamedTuple


class Entry(NamedTuple):
    """A command: `module:attribute`, its section in the help, and its help in one line (the same as the command's own; tested)."""

    target: str
    section: str
    help: str


COMMANDS: dict[str, Entry] = {
    "init": Entry("init:init", "store", "Make an empty store."),
    "clone": Entry("clone:clone", "store", "Copy another store, or the tickets of a helpdesk, into a new store here."),
    "status": Entry("status:status", "store", "Say what is unsent, refused or in conflict, and what to do next."),
    "log": Entry("log:log", "store", "Show who changed what, from what to what."),
    "show": Entry("show:show", "store", "Show tickets whole: fields, conversation, attachments, links."),
    "diff": Entry("diff:diff", "store", "Show what has not been sent yet."),
    "undo": Entry("undo:undo", "store", "Take back the last thing done here that was not sent yet."),
    "fsck": Entry("fsck:fsck", "store", "Look for damage, and rebuild what can be rebuilt."),
    "export": Entry("export:export", "store", "Write the whole store as JSON Lines."),
    "import": Entry("import_:import_", "store", "Read an export, or any CSV or JSON Lines through a map."),
    "new": Entry("new:new", "tickets", "Write a new ticket."),
    "list": Entry("list_:list_", "tickets", "List tickets, the most urgent first."),
    "edit": Entry("edit:edit", "tickets", "Change fields of tickets."),
    "comment": Entry("comment:comment", "tickets", "Say something about tickets."),
    "label": Entry("label:label", "tickets", "Put labels on tickets or take them off."),
    "assign": Entry("assign:assign", "tickets", "Say who works on tickets."),
    "take": Entry("take:take", "tickets", "Assign tickets to yourself."),
    "close": Entry("close:close", "tickets", "Close tickets."),
    "reopen": Entry("reopen:reopen", "tickets", "Open closed tickets again."),
    "delete": Entry("delete:delete", "tickets", "Delete tickets; they can be brought back."),
    "merge": Entry("merge:merge", "tickets", "Merge tickets into one."),
    "link": Entry("link:link", "tickets", "Tie tickets together, or untie them."),
    "attach": Entry("attach:attach", "tickets", "Attach files, list them, or get them out."),
    "open": Entry("open_:open_", "tickets", "Open tickets in the browser, where their helpdesk shows them."),
    "track": Entry(
        "track:track", "tickets", "Take tickets of a helpdesk by their numbers there, and follow them from now on."
    ),
    "time": Entry("time_:time", "work", "Record the time that work on tickets took."),
    "charge": Entry("charge:charge", "work", "Record what work on tickets cost besides time."),
    "remote": Entry("remote:remote", "sync", "Name other stores and helpdesks to exchange with."),
    "fetch": Entry("fetch:fetch", "sync", "Get what a remote has, without taking it yet."),
    "pull": Entry("pull:pull", "sync", "Take what a remote has."),
    "push": Entry("push:push", "sync", "Send what a remote has not."),
    "sync": Entry("sync:sync", "sync", "Pull, then push."),
    "conflicts": Entry("conflicts:conflicts", "sync", "List what was written twice."),
    "resolve": Entry("resolve:resolve", "sync", "Decide what holds where something was written twice."),
    "partner": Entry("partner:partner", "partners", "Share tickets with other organisations."),
    "board": Entry("board:board", "partners", "Show what is outsourced, by what it waits for."),
    "outsource": Entry("outsource:outsource", "partners", "Offer tickets to a partner, on terms."),
    "cancel": Entry("cancel:cancel", "partners", "Take back offers that were not answered yet."),
    "accept": Entry("accept:accept", "partners", "Take on tickets that were offered, on the terms offered."),
    "decline": Entry("decline:decline", "partners", "Refuse offers."),
    "counter": Entry("counter:counter", "partners", "Propose other terms for tickets that were offered."),
    "ask": Entry("ask:ask", "partners", "Ask the lead of a ticket a question, or answer one as the lead."),
    "submit": Entry("submit:submit", "partners", "Hand finished work in, for the lead to approve."),
    "withdraw": Entry("withdraw:withdraw", "partners", "Take submissions back, to work on."),
    "approve": Entry("approve:approve", "partners", "Approve work that a partner has submitted."),
    "reject": Entry("reject:reject", "partners", "Send submitted work back to the partner."),
    "complete": Entry("complete:complete", "partners", "End handoffs without a submission."),
    "recall": Entry("recall:recall", "partners", "Take tickets back from a partner that works on them."),
    "handback": Entry("handback:handback", "partners", "Give tickets back to the lead, unfinished."),
    "release": Entry("release:release", "partners", "Send what was held back while work awaited approval."),
    "detach": Entry("detach:detach", "partners", "Copy an item of the other side's, to edit the copy."),
    "why": Entry("why:why", "partners", "Explain why something is or is not on a partner's side."),
    "serve": Entry("serve:serve", "server", "Serve a store to others over HTTP."),
    "token": Entry("token:token", "server", "Say who may use a served store."),
    "auth": Entry("auth:auth", "help", "Keep tokens for servers and helpdesks, and say whose they are."),
    "config": Entry("config:config", "help", "Show or change settings."),
    "completion": Entry("completion:completion", "help", "Print the completion script of a shell."),
    "doctor": Entry("doctor:doctor", "help", "Look at the surroundings: versions, permissions, certificates."),
    "help": Entry("help_:help_", "help", "Explain a command or a topic."),
}

ALIASES = {"ls": "list"}

SECTIONS = {
    "store": "The store",
    "tickets": "Tickets",
    "work": "Time and charges",
    "sync": "Exchange",
    "partners": "Partners",
    "server": "Server",
    "help": "Help and set-up",
}
