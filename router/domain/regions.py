"""Where callers are, as their numbers tell, and what it says of visits.

Codes are ISO 3166-2, or a country's where no more is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from router.domain import phone
from router.domain.numbering import same_region

SAME = 0.6  # κ: the share of callers whose region is the visit's, and not by chance
_UNSEEN = 2

# What phonenumbers calls Russia's codes → the subject they belong to, as far as one code is of one subject:
# those that it calls Moscow's are also those of the region around it.
_RUSSIA = {
    "SPE": "St Petersburg",
    "LEN": "Leningrad region",
    "ALT": "Altai Territory",
    "AMU": "Amur Region",
    "ARK": "Arkhangelsk",
    "AST": "Astrakhan",
    "BEL": "Belgorod",
    "BRY": "Bryansk",
    "CE": "Chechen Republic",
    "CHE": "Chelyabinsk",
    "VLG": "Vologda|Cherepovets",
    "ZAB": "Chita",
    "CHU": "Chukotka Autonomous District",
    "CU": "Chuvashi Republic",
    "SVE": "Ekaterinburg",
    "IN": "Ingushi Republic",
    "IRK": "Irkutsk",
    "YEV": "Jewish Autonomous Region",
    "KB": "Kabardino-Balkarian Republic",
    "KGD": "Kaliningrad",
    "KLU": "Kaluga",
    "KAM": "Kamchatka Region",
    "KC": "Karachayevo-Cherkessian Republic",
    "KEM": "Kemerovo",
    "KHA": "Khabarovsk Territory",
    "KIR": "Kirov",
    "KO": "Komi Republic",
    "KOS": "Kostroma",
    "KDA": "Krasnodar Territory|Sochi",
    "KYA": "Krasnoyarsk Territory",
    "KGN": "Kurgan",
    "KRS": "Kursk",
    "LIP": "Lipetsk",
    "MAG": "Magadan",
    "STA": "Mineranye Vody|Stavropol territory",
    "MUR": "Murmansk",
    "TA": "Naberezhnye Chelny|Republic of Tatarstan",
    "NIZ": "Nizhni Novgorod",
    "NVS": "Novosibirsk",
    "OMS": "Omsk",
    "ORL": "Orel",
    "ORE": "Orenburg",
    "PNZ": "Penza",
    "PER": "Perm",
    "PRI": "Primorie territory",
    "PSK": "Pskov",
    "AD": "Republic of Adygeya",
    "AL": "Republic of Altai",
    "BA": "Republic of Bashkortostan",
    "BU": "Republic of Buryatia",
    "DA": "Republic of Daghestan",
    "KL": "Republic of Kalmykia",
    "KR": "Republic of Karelia",
    "KK": "Republic of Khakassia",
    "ME": "Republic of Marij El",
    "MO": "Republic of Mordovia",
    "SE": "Republic of North Ossetia",
    "SA": "Republic of Sakha",
    "TY": "Republic of Tuva",
    "ROS": "Rostov",
    "RYA": "Ryazan",
    "SAK": "Sakhalin Region",
    "SAM": "Samara|Tolyatti",
    "SAR": "Saratov",
    "SMO": "Smolensk",
    "KHM": "Surgut",
    "TAM": "Tambov",
    "TOM": "Tomsk",
    "TUL": "Tula",
    "TVE": "Tver",
    "TYU": "Tyumen",
    "UD": "Udmurtian Republic",
    "ULY": "Ulyanovsk",
    "NGR": "Veliky Novgorod",
    "VLA": "Vladimir",
    "VGG": "Volgograd",
    "VOR": "Voronezh",
    "YAN": "Yamalo-Nenets Autonomous District",
    "YAR": "Yaroslavl",
}
_STATES = (
    "AL Alabama|AK Alaska|AZ Arizona|AR Arkansas|CA California|CO Colorado|CT Connecticut|DE Delaware|"
    "FL Florida|GA Georgia|HI Hawaii|ID Idaho|IL Illinois|IN Indiana|IA Iowa|KS Kansas|KY Kentucky|"
    "LA Louisiana|ME Maine|MD Maryland|MA Massachusetts|MI Michigan|MN Minnesota|MS Mississippi|"
    "MO Missouri|MT Montana|NE Nebraska|NV Nevada|NH New Hampshire|NJ New Jersey|NM New Mexico|"
    "NY New York|NC North Carolina|ND North Dakota|OH Ohio|OK Oklahoma|OR Oregon|PA Pennsylvania|"
    "RI Rhode Island|SC South Carolina|SD South Dakota|TN Tennessee|TX Texas|UT Utah|VT Vermont|"
    "VA Virginia|WA Washington State|WV West Virginia|WI Wisconsin|WY Wyoming|DC Washington D.C."
)
_PROVINCES = (
    "AB Alberta|BC British Columbia|BC British Colombia|MB Manitoba|NB New Brunswick|"
    "NL Newfoundland and Labrador|ON Ontario|QC Quebec|SK Saskatchewan"
)


def _codes(listed: str) -> Mapping[str, str]:
    return {name: code for code, _, name in (one.partition(" ") for one in listed.split("|"))}


_PLACES: Mapping[str, Mapping[str, str]] = {
    "RU": {name: code for code, names in _RUSSIA.items() for name in names.split("|") if name},
    "US": _codes(_STATES),
    "CA": _codes(_PROVINCES),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class CallerRegion:
    """`population` is the share of callers who come from there."""

    code: str
    population: float


def of_number(e164: str) -> str | None:
    """A number's region as far as its numbering plan tells for sure; a country's code for most; None where
    not even that is known. What mobiles of most countries tell is the country alone."""
    country = phone.country(e164)
    names = _PLACES.get(country or "")
    if country is None or names is None:
        return country
    # "Syracuse, NY", or the name of the whole
    place, _, state = phone.place(e164).partition(", ")
    code = state if state in names.values() else names.get(place)
    return f"{country}-{code}" if code else country


def population(region: str, calls: Mapping[str, int]) -> float:
    """The share of callers from `region`, the present call included; `calls` are those so far, by each region
    that was seen in visits or calls."""
    own = _UNSEEN + calls.get(region, 0) + 1
    others = sum(_UNSEEN + count for code, count in calls.items() if code != region)
    return own / (own + others)


def factor(caller: CallerRegion | None, region: str | None) -> float:
    """How much likelier a visit of `region` is the caller's than one of unknown region."""
    if caller is None:
        return 1.0
    same = same_region(caller.code, region)
    if same is None:
        return 1.0
    return (SAME / caller.population if same else 0.0) + 1 - SAME
