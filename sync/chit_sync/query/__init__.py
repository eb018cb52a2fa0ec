"""The query language: `listing` finds tickets by it, `parse` reads it, `compile` makes SQL of it. See docs/queries.md.

    text ─ parse ─► tree ─ compile (fields, presence, values, words) ─► conditions ─ listing ─► rows

All but `listing` is pure.
"""
