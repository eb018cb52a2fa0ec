"""The handoff table as the docs show it: a diagram and a table, made from the rows so that they cannot say anything else. Pure."""

from chit_sync.handoffs import SERVICE, STATUSES, TRANSITIONS, Transition, command


def diagram() -> str:
    """The table as a state diagram in Mermaid's language, for the docs: an arrow for each pair of statuses, with all that leads there."""
    names = {status: status.replace("-", "_") for status in STATUSES}
    lines = [f'    state "{status}" as {name}' for status, name in names.items() if status != name]
    arrows: dict[tuple[str, str], list[str]] = {}
    for row in TRANSITIONS:
        label = f"{command(row.verb)} ({_who(row)})"
        for source in row.sources:
            arrows.setdefault((source, row.target or source), []).append(label)
    for (source, target), labels in arrows.items():
        said = ", ".join(dict.fromkeys(labels))
        lines.append(f"    {names.get(source, '[*]')} --> {names.get(target, '[*]')}: {said}")
    return "\n".join(["stateDiagram-v2", *lines]) + "\n"


def table() -> str:
    """The table as rows of Markdown, for the docs."""
    lines = ["| from | who | command | reason | to | |", "| --- | --- | --- | --- | --- | --- |"]
    for row in TRANSITIONS:
        verb = row.verb if row.by == "store" else f"`{command(row.verb)}`"
        target = row.target or "as it was"
        who = _who(row).replace(SERVICE, "service partner")
        lines.append(f"| {', '.join(row.sources)} | {who} | {verb} | {row.reason} | {target} | {row.help} |")
    return "\n".join(lines) + "\n"


def _who(row: Transition) -> str:
    return f"{row.role}'s store" if row.by == "store" else row.role
