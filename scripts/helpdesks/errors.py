"""What can go wrong, as one kind of error: what happened, and what to do now."""


class Failed(Exception):
    """Something that the person who ran the script has to hear of."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message
