"""The one error of the tool: its message says what is wrong and what to do."""


class BrokerError(Exception):
    """Something that the operator has to decide or mend."""
