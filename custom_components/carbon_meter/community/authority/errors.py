"""Why certificates cannot be made or used."""


class AuthorityError(Exception):
    """The files of an authority or of a home cannot be used; the message says why."""
