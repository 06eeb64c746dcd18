"""The languages in which a household can read what it agrees to."""

from typing import Final

ENGLISH: Final = "en"
CHINESE: Final = "zh-Hans"
