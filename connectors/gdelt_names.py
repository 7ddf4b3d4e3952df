"""PURE  GDELT's English names of languages and countries <-> their codes (ISO 639-1 or -3, ISO 3166-1 alpha-2)."""

from __future__ import annotations

_LANGUAGES = (
    "Afrikaans af, Albanian sq, Amharic am, Arabic ar, Armenian hy, Assamese as, Azerbaijani az, Basque eu, Belarusian be, "
    "Bengali bn, Bosnian bs, Bulgarian bg, Burmese my, Catalan ca, Chinese zh, Croatian hr, Czech cs, Danish da, Dutch nl, "
    "English en, Estonian et, Finnish fi, French fr, Galician gl, Georgian ka, German de, Greek el, Gujarati gu, Hausa ha, "
    "Hebrew he, Hindi hi, Hungarian hu, Icelandic is, Indonesian id, Irish ga, Italian it, Japanese ja, Kannada kn, "
    "Kazakh kk, Khmer km, Korean ko, Kurdish ku, Kyrgyz ky, Lao lo, Latvian lv, Lithuanian lt, Luxembourgish lb, "
    "Macedonian mk, Malay ms, Malayalam ml, Maltese mt, Marathi mr, Mongolian mn, Nepali ne, Norwegian no, "
    "NorwegianNynorsk nn, Odia or, Oriya or, Pashto ps, Persian fa, Polish pl, Portuguese pt, Punjabi pa, Romanian ro, "
    "Russian ru, Serbian sr, Sinhala si, Sinhalese si, Slovak sk, Slovenian sl, Somali so, Spanish es, Swahili sw, "
    "Swedish sv, Tajik tg, Tamil ta, Telugu te, Thai th, Tibetan bo, Turkish tr, Turkmen tk, Ukrainian uk, Urdu ur, "
    "Uzbek uz, Vietnamese vi, Welsh cy, Xhosa xh, Yoruba yo, Zulu zu"
)

_COUNTRIES = (
    "Afghanistan AF, Albania AL, Algeria DZ, Angola AO, Argentina AR, Armenia AM, Australia AU, Austria AT, Azerbaijan AZ, "
    "Bahamas BS, Bahrain BH, Bangladesh BD, Barbados BB, Belarus BY, Belgium BE, Belize BZ, Benin BJ, Bermuda BM, Bhutan BT, "
    "Bolivia BO, Bosnia-Herzegovina BA, Botswana BW, Brazil BR, Brunei BN, Bulgaria BG, Burkina Faso BF, Burundi BI, "
    "Cambodia KH, Cameroon CM, Canada CA, Chad TD, Chile CL, China CN, Colombia CO, Congo CG, Costa Rica CR, Croatia HR, "
    "Cuba CU, Cyprus CY, Czech Republic CZ, Denmark DK, Dominican Republic DO, Ecuador EC, Egypt EG, El Salvador SV, "
    "Eritrea ER, Estonia EE, Ethiopia ET, Fiji FJ, Finland FI, France FR, Gabon GA, Gambia GM, Georgia GE, Germany DE, "
    "Ghana GH, Gibraltar GI, Greece GR, Greenland GL, Guatemala GT, Guinea GN, Guyana GY, Haiti HT, Honduras HN, "
    "Hong Kong HK, Hungary HU, Iceland IS, India IN, Indonesia ID, Iran IR, Iraq IQ, Ireland IE, Israel IL, Italy IT, "
    "Ivory Coast CI, Jamaica JM, Japan JP, Jordan JO, Kazakhstan KZ, Kenya KE, Kosovo XK, Kuwait KW, Kyrgyzstan KG, Laos LA, "
    "Latvia LV, Lebanon LB, Lesotho LS, Liberia LR, Libya LY, Liechtenstein LI, Lithuania LT, Luxembourg LU, Macau MO, "
    "Macedonia MK, Madagascar MG, Malawi MW, Malaysia MY, Maldives MV, Mali ML, Malta MT, Mauritania MR, Mauritius MU, "
    "Mexico MX, Moldova MD, Monaco MC, Mongolia MN, Montenegro ME, Morocco MA, Mozambique MZ, Myanmar MM, Namibia NA, "
    "Nepal NP, Netherlands NL, New Zealand NZ, Nicaragua NI, Niger NE, Nigeria NG, North Korea KP, Norway NO, Oman OM, "
    "Pakistan PK, Palestine PS, Panama PA, Papua New Guinea PG, Paraguay PY, Peru PE, Philippines PH, Poland PL, Portugal PT, "
    "Puerto Rico PR, Qatar QA, Romania RO, Russia RU, Rwanda RW, Samoa WS, Saudi Arabia SA, Senegal SN, Serbia RS, "
    "Seychelles SC, Sierra Leone SL, Singapore SG, Slovakia SK, Slovak Republic SK, Slovenia SI, Somalia SO, South Africa ZA, "
    "South Korea KR, South Sudan SS, Spain ES, Sri Lanka LK, Sudan SD, Suriname SR, Swaziland SZ, Sweden SE, Switzerland CH, "
    "Syria SY, Taiwan TW, Tajikistan TJ, Tanzania TZ, Thailand TH, Togo TG, Tonga TO, Trinidad and Tobago TT, Tunisia TN, "
    "Turkey TR, Turkmenistan TM, Uganda UG, Ukraine UA, United Arab Emirates AE, United Kingdom GB, United States US, "
    "Uruguay UY, Uzbekistan UZ, Vanuatu VU, Vatican City VA, Venezuela VE, Vietnam VN, Yemen YE, Zambia ZM, Zimbabwe ZW"
)


def _table(pairs: str) -> dict[str, str]:
    """Squeezed name -> code."""
    entries = (pair.rpartition(" ") for pair in pairs.split(", "))
    return {_squeezed(name): code for name, _, code in entries}


def _squeezed(name: str) -> str:
    """A name as queries have it: lower-case letters only."""
    return "".join(letter for letter in name.lower() if letter.isalpha())


_LANGUAGE_CODES, _COUNTRY_CODES = _table(_LANGUAGES), _table(_COUNTRIES)


def language_code(name: object) -> str | None:
    return _LANGUAGE_CODES.get(_squeezed(name)) if isinstance(name, str) else None


def country_code(name: object) -> str | None:
    return _COUNTRY_CODES.get(_squeezed(name)) if isinstance(name, str) else None


def language_word(given: str) -> str | None:
    """What a query calls the language of this code or name (``german``), ``None`` if GDELT has no such language."""
    return _word(given, _LANGUAGE_CODES)


def country_word(given: str) -> str | None:
    """What a query calls the country of this code or name (``unitedstates``), ``None`` if GDELT has no such country."""
    return _word(given, _COUNTRY_CODES)


def _word(given: str, codes: dict[str, str]) -> str | None:
    squeezed = _squeezed(given)
    if squeezed in codes:
        return squeezed
    return next((name for name, code in codes.items() if code.lower() == given.strip().lower()), None)
