"""Emission factors as data: yearly figures by zone, each with its source."""
