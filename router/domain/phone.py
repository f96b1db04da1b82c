"""Telephone numbers: anything → E.164, and E.164 → what a page or a person reads.

The only module that knows phonenumbers (libphonenumber's numbering plans).
"""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType, shortnumberinfo

from router.domain.errors import PhoneRefused

EXAMPLE = "+74951234567"

# Global services outside any country's plan: satellite (Inmarsat +870, +881, +882/+883 networks),
# shared-cost and premium (+808, +878, +888, +979). ITU-T E.164 assigned country codes.
_GLOBAL_SERVICES = ("+808", "+870", "+878", "+881", "+882", "+883", "+888", "+979")
_PREMIUM = frozenset(
    {PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST, PhoneNumberType.UAN}
)
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")

_REASONS = {
    phonenumbers.ValidationResult.INVALID_COUNTRY_CODE: "its country code does not exist",
    phonenumbers.ValidationResult.TOO_SHORT: "it is too short for its country",
    phonenumbers.ValidationResult.TOO_LONG: "it is too long for its country",
    phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "the area code is missing",
    phonenumbers.ValidationResult.INVALID_LENGTH: "no number of its country has this length",
}


def parse(text: str, region: str | None = None, *, field: str = "number") -> str:
    """Anything a person writes → E.164, e.g. ``8 (495) 123-45-67`` in region RU → ``+74951234567``.

    `region` is an ISO 3166 code; without it only numbers with ``+`` are understood.
    Raises PhoneRefused with the field and the reason.
    """
    try:
        number = phonenumbers.parse(text.strip(), region)
    except phonenumbers.NumberParseException as error:
        problem = f"{text!r} is not a telephone number"
        if region is None and not text.strip().startswith("+"):
            problem = f"{text!r} has no country code"
        raise PhoneRefused(field, problem, EXAMPLE) from error
    possible = phonenumbers.is_possible_number_with_reason(number)
    if possible != phonenumbers.ValidationResult.IS_POSSIBLE:
        reason = _REASONS.get(possible, "it is not possible")
        raise PhoneRefused(field, f"{text!r} is refused: {reason}", EXAMPLE)
    if not phonenumbers.is_valid_number(number):
        where = phonenumbers.region_code_for_country_code(number.country_code or 0)
        raise PhoneRefused(
            field, f"{text!r} is refused: no carrier of {where} has numbers like it", EXAMPLE
        )
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def parse_target(text: str, region: str | None = None, *, field: str = "target") -> str:
    """As `parse`, for a number that calls are sent to: emergency, premium-rate, shared-cost and
    satellite numbers are refused as well (toll fraud dials exactly these).
    """
    stripped = text.strip()
    if region and shortnumberinfo.is_emergency_number(stripped, region):
        raise PhoneRefused(field, f"{text!r} is an emergency number", EXAMPLE)
    digits = "+" + re.sub(r"\D", "", stripped)
    if stripped.startswith("+") and digits.startswith(_GLOBAL_SERVICES):
        raise PhoneRefused(field, f"{text!r} is a satellite or global premium number", EXAMPLE)
    e164 = parse(text, region, field=field)
    kind = phonenumbers.number_type(phonenumbers.parse(e164))
    if kind in _PREMIUM:
        raise PhoneRefused(field, f"{text!r} is a premium-rate or shared-cost number", EXAMPLE)
    return e164


def is_region(text: str) -> bool:
    """True for an ISO 3166 code of a country whose numbering plan is known, e.g. ``RU``."""
    return text in phonenumbers.SUPPORTED_REGIONS


def is_e164(text: str) -> bool:
    """True for a string of E.164's form; says nothing of whether such a number exists."""
    return _E164.fullmatch(text) is not None


@lru_cache(maxsize=65536)
def national(e164: str) -> str:
    """``+74951234567`` → ``8 (495) 123-45-67``."""
    return phonenumbers.format_number(phonenumbers.parse(e164), PhoneNumberFormat.NATIONAL)


@lru_cache(maxsize=65536)
def international(e164: str) -> str:
    """``+74951234567`` → ``+7 495 123-45-67``."""
    return phonenumbers.format_number(phonenumbers.parse(e164), PhoneNumberFormat.INTERNATIONAL)


def readable(text: str) -> str:
    """International form of an E.164 number that can be one; any other text as it is. Never raises."""
    if not is_e164(text):
        return text
    try:
        return international(text)
    except phonenumbers.NumberParseException:
        return text


@lru_cache(maxsize=65536)
def caller(text: str, region: str | None = None) -> str:
    """A caller's number as the trunk gave it → E.164 where it is one, else its digits, else ``""``.

    Never raises: a caller who hides the number, or sends a strange one, is served like any other.
    """
    cleaned = re.sub(r"[^0-9+]", "", text)[:32]
    if not cleaned:
        return ""
    international_form = "+" + cleaned.lstrip("+")
    # without a country, digits alone are never a number: not asked, since the refusal is dear
    readings = (cleaned, international_form) if region else (international_form,)
    for reading in readings:
        try:
            number = phonenumbers.parse(reading, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return cleaned


_MOST_PLACES = 4


def block(text: str, region: str | None = None, *, field: str = "number") -> tuple[str, int]:
    """A range of numbers → what all of them begin with, and how many digits follow.

    ``1-315-658-2`` → ``("+13156582", 3)``: the places left open are those that make a number of the country.
    Where countries have numbers of several lengths, or to be plain, each open place is an x:
    ``+49 30 1234 xx``. At most four. Raises PhoneRefused.
    """
    example = "1-315-658-2"
    plain = text.strip()
    marked = len(plain) - len(plain.rstrip("xX"))
    stem = plain.rstrip("xX")
    if "x" in stem.lower():
        raise PhoneRefused(field, f"{text!r}: an x stands only at the end", "+7 495 111 2xxx")
    if marked > _MOST_PLACES:
        raise PhoneRefused(field, f"{text!r} has more than 10,000 numbers", "+7 495 111 xxxx")
    fitting = {
        places: prefix
        for places in ([marked] if marked else range(1, _MOST_PLACES + 1))
        if (prefix := _begins(stem, places, region)) is not None
    }
    if len(fitting) > 1 and not marked:
        raise PhoneRefused(
            field, f"{text!r} may be a block of several sizes: mark each open place", f"{stem}xx"
        )
    for places, prefix in fitting.items():
        return prefix, places
    raise PhoneRefused(field, f"{text!r} is neither a number nor a block of numbers", example)


def _begins(stem: str, places: int, region: str | None) -> str | None:
    """What the numbers of a block begin with, if its first and its last can be numbers."""
    found = set()
    for digit in "09":
        number = anyhow(stem + digit * places, region)
        if number is None:
            return None
        found.add(number[:-places])
    return found.pop() if len(found) == 1 else None


def anyhow(text: str, region: str | None = None) -> str | None:
    """As `parse`, also without the + where no region is given; None instead of a refusal."""
    plain = text.strip()
    for reading in (plain, "+" + plain.lstrip("+")):
        try:
            return parse(reading, region)
        except PhoneRefused:
            continue
    return None


@lru_cache(maxsize=65536)
def country(e164: str) -> str | None:
    """The ISO 3166 code of a number's country; None for numbers of none, and where a shared plan does not tell."""
    try:
        found = phonenumbers.region_code_for_number(phonenumbers.parse(e164))
    except phonenumbers.NumberParseException:
        return None
    return found if found and found.isalpha() else None


@lru_cache(maxsize=256)
def calling_code(region: str) -> int:
    """``RU`` → 7. Zero for a country that has none."""
    return phonenumbers.country_code_for_region(region)
