"""What the tests of the carbon account share."""

from hypothesis import settings

settings.register_profile("carbon_meter", deadline=None)
settings.load_profile("carbon_meter")
