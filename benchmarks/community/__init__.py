"""The hub of a community beside a bare loop and beside the limits that the project sets itself."""
