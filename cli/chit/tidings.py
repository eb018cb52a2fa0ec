"""What happened to handoffs, in a line each: for what a pull tells, and for `status`."""

from chit.language import translate
from chit.text import clean, shorten

_LONGEST = 80

_TABLE = {
    ("offer", "service"): "{partner} offers you {ticket}",
    ("offer-until", "service"): "{partner} offers you {ticket}, to be answered by {time}",
    ("agree", "service"): "{partner} agrees to your terms for {ticket}",
    ("cancel", "service"): "{partner} took back the offer of {ticket}",
    ("expire", "service"): "the time to accept {ticket} of {partner} has passed",
    ("expire", "lead"): "{partner} did not answer in time: {ticket}",
    ("accept", "lead"): "{partner} accepted {ticket}",
    ("decline", "lead"): "{partner} declined {ticket}",
    ("counter", "lead"): "{partner} proposes other terms for {ticket}",
    ("ask", "lead"): "{partner} asks about {ticket}",
    ("answer", "service"): "{partner} answers about {ticket}",
    ("submit", "lead"): "{partner} submitted {ticket} for approval",
    ("withdraw", "lead"): "{partner} took back its submission of {ticket}",
    ("approve", "service"): "{partner} approved {ticket}",
    ("reject", "service"): "{partner} sent {ticket} back",
    ("complete", "service"): "{partner} ended {ticket}",
    ("recall", "service"): "{partner} took {ticket} back",
    ("handback", "lead"): "{partner} gave {ticket} back",
}


def told(verb: str, role: str, partner: str, ticket: str, text: str = "", time: str = "") -> str:
    """What the other side did. role: ours. ticket: its short id and title. text: the reason, question or answer. time: until when."""
    template = _TABLE.get((f"{verb}-until" if time else verb, role))
    if template is None:
        from chit_sync.handoffs import command

        said = translate("{partner} said `{verb}` about {ticket}", partner=partner, verb=command(verb), ticket=ticket)
    else:
        said = translate(template, partner=partner, ticket=ticket, time=time)
    why = "" if verb == "expire" else " ".join(clean(text.replace("\n", " ")).split())
    return f"{said}: {shorten(why, _LONGEST)}" if why else said
