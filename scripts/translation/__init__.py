"""Finding the messages for people in the source, and keeping the catalogues of other languages. Used by scripts/messages and its test."""
