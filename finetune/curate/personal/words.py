"""The words that announce personal data, in the languages of twelve countries.

English (US, GB, IN), German, French, Spanish, Italian, Dutch, Portuguese (BR), Swedish, Polish,
Japanese and some romanised Hindi. A phrase is written in lower case with single spaces, which
stand for any of the separators that also join the keys of tool arguments.
"""

import re
from collections.abc import Collection
from functools import cache
from typing import Literal, NamedTuple

from finetune.curate.personal.view import goes_on

__all__ = ["Cue", "Topic", "cues", "cues_in", "japanese_cues", "phrases"]

Topic = Literal[
    "passport", "licence", "birth", "bank", "plate", "phone", "identity", "person", "street", "mail"
]
"""What a cue announces."""

_PHRASES: dict[Topic, str] = {
    "passport": """
        passport | passports | passport number | passport no | passportnumber |
        reisepass | reisepasses | reisepassnummer | passnummer | pass nr | passeport |
        pasaporte | passaporto | paspoort | paspoortnummer | passaporte | passet |
        passnumret | passnumro | paszport | paszportu | paszportem | personalausweis |
        ausweisnummer | ausweis nr | identity card | id card""",
    "licence": """
        driver license | drivers license | driver s license | driver licence | drivers
        licence | driver s licence | driving licence | driving license | licence
        number | license number | dl number | licenceno | driverlicense | führerschein
        | fuehrerschein | führerscheinnummer | führerscheins | fuehrerscheinnummer |
        permis de conduire | permis conduire | numéro de permis | permiso de conducir
        | permiso de conducción | carnet de conducir | licencia de conducir | patente
        di guida | numero di patente | numero patente | mia patente | rijbewijs |
        rijbewijsnummer | carteira de motorista | carteira de habilitação | cnh |
        habilitação | körkort | körkortsnummer | körkortet | prawo jazdy | prawa jazdy
        | dl no""",
    "birth": """
        born | birth | birthday | birthdate | dateofbirth | dob | geboren |
        geburtsdatum | geburtstag | geb | né le | née le | né e le | naissance |
        nacido | nacida | nací | nacimiento | cumpleaños | nato il | nata il | nato |
        nata | nascita | compleanno | geboortedatum | geboorte | verjaardag | nascido
        | nascida | nasci | nascimento | aniversário | född | födelsedatum |
        födelsedag | urodzony | urodzona | urodzenia | urodziłem | urodziłam |
        urodziny | janm | d o b""",
    "bank": """
        account number | account no | account nr | accountnumber | acct | acct no |
        account | routing number | routing no | routing | aba | sort code | sortcode |
        ifsc | ifsc code | bank account | kontonummer | kontonr | konto nr | konto |
        blz | bankleitzahl | numéro de compte | compte bancaire | compte | rib | code
        banque | cuenta bancaria | número de cuenta | cuenta | ccc | conto corrente |
        numero di conto | conto | cab | abi | rekeningnummer | rekening | bankrekening
        | agência | agencia | conta corrente | conta | conta poupança | clearingnummer
        | clearing | bankkonto | kontonumret | kontot | numer konta | nr konta | konta
        | konto bankowe | rachunek | rachunku | nrb | numer rachunku""",
    "plate": """
        license plate | licence plate | number plate | plate number | plate no | plate
        | plates | platenumber | car registration | vehicle registration |
        registration number | registration | reg no | reg number | vehicle number |
        vehicle reg | kennzeichen | autokennzeichen | kfz kennzeichen | nummernschild
        | immatriculation | immatriculée | immatriculé | plaque | matrícula |
        matricula | placa | placas | targa | kenteken | kentekenplaat | nummerplaat |
        kentekennummer | registreringsnummer | regnummer | regnr | registreringsskylt
        | rejestracja | rejestracyjny | rejestracyjnego | rejestracyjne | rejestracji
        | tablica rejestracyjna | tablice""",
    "phone": """
        phone | phones | telephone | tel | telno | phonenumber | cell | cellphone |
        mobile | mob | call | call me | text me | ring | ring me | my number | fax |
        whatsapp | whats app | sms | dial | reach me | contact | hotline | telefon |
        telefonnummer | telefonnr | handy | handynummer | mobilnummer | mobil |
        rückruf | rufnummer | erreichbar | erreichen | anruf | anrufen | rufen | meine
        nummer | téléphone | telephone | tél | portable | joindre | appeler | appelez
        | appelle | rappeler | rappelez | mon numéro | teléfono | telefono | móvil |
        movil | llamar | llámame | llámeme | llamarme | celular | mi número |
        cellulare | chiamare | chiamami | chiamatemi | chiamarmi | mio numero |
        recapito | mijn nummer | meu número | mitt nummer | mój numer | telefoon |
        telefoonnummer | mobiel | bel | bellen | gsm | bereikbaar | telefone | ligar |
        ligue | telefoon | telefonnumret | ringa | mobilen | nås | telefonu |
        telefoniczny | komórka | komórkowy | zadzwoń | dzwonić | kontakt | phon |
        mobilenumber | nomor""",
    "identity": """
        ssn | social security | social | taxpayer | itin | tin | nhs | national
        insurance | nino | ni number | steuer id | steueridentifikationsnummer |
        steuer identifikationsnummer | steuernummer | steueridnr | idnr |
        identifikationsnummer | dni | nie | nif | d n i | sécurité sociale | securite
        sociale | insee | nir | numéro de sécu | sécu | codice fiscale | cod fisc |
        bsn | burgerservicenummer | sofinummer | cpf | cadastro | aadhaar | aadhar |
        uidai | uid | personnummer | personnr | personnumret | pesel | my number |
        mynumber | individual number | national id | nationalid | tax id | taxid | id
        number | identity number | ausweis | documento | identidad""",
    "person": """
        my name is | my full name is | name s | the name is | full name | fullname | i
        am called | customer name | first name | last name | surname | given name |
        family name | name on the account | mein name ist | ich heiße | ich heisse |
        je m appelle | mon nom est | me llamo | mi nombre es | mi chiamo | il mio nome
        è | mijn naam is | ik heet | meu nome é | eu me chamo | me chamo | chamo me |
        jag heter | mitt namn är | nazywam się | mam na imię | mera naam""",
    "street": """
        street | st | avenue | ave | road | rd | lane | ln | drive | dr | boulevard |
        blvd | court | ct | place | pl | terrace | way | close | crescent | gardens |
        square | parkway | pkwy | highway | hwy | circle | trail | grove | mews | hill
        | walk | row | view | rise | marg | nagar | colony | layout | sector | flat |
        plot | apartment | apartments | cross | phase | enclave | rue | c | allée |
        impasse | quai | chemin | cours | faubourg | passage | calle | avenida | avda
        | av | plaza | paseo | camino | ronda | carrer | via | viale | piazza | corso
        | vicolo | largo | piazzale | rua | travessa | alameda | praça | rodovia |
        estrada | ulica | ulicy | ul | aleja | aleje | al | plac | placu | osiedle |
        os | address | adresse | anschrift | dirección | indirizzo | adres | endereço
        | adress | live | wohne | ku | chome | prefecture | shi""",
    "mail": """
        dot | punkt | punto | ponto | point | punt | kropka | arroba | dat""",
}
_JAPANESE: dict[Topic, str] = {
    "passport": "パスポート|旅券",
    "licence": "運転免許|免許証|免許番号",
    "birth": "生年月日|誕生日|生まれ",
    "bank": "口座番号|口座|支店番号|店番",
    "plate": "ナンバープレート|ナンバー|車両番号|登録番号|車のナンバー",
    "phone": "電話番号|電話|携帯|連絡先|TEL",
    "identity": "マイナンバー|個人番号",
    "person": "名前は|氏名は|氏名|申します|といいます",
    "street": "都|道|府|県|住所|〒",
}
_JOINT = r"[\s_.'\u2019\-]{0,3}"


class Cue(NamedTuple):
    """A word that may announce personal data, and the phrases that hold it."""

    topic: Topic
    phrases: str
    """The phrases in a pattern, the longest first."""

    @property
    def pattern(self) -> re.Pattern[str]:
        """Finds the phrases in lower-case text."""
        return _ended(self.phrases)


def phrases(*, without: Collection[Topic] = ()) -> list[str]:
    """Return the phrases of all topics but some, single spaces between their words."""
    return [
        " ".join(phrase.split())
        for topic, text in _PHRASES.items()
        if topic not in without
        for phrase in text.split("|")
    ]


@cache
def cues() -> dict[str, tuple[Cue, ...]]:
    """Return for each word that may announce something the phrases to look for where it stands."""
    phrases: dict[tuple[str, Topic], set[str]] = {}
    for topic, text in _PHRASES.items():
        for phrase in text.split("|"):
            tokens = phrase.split()
            phrases.setdefault((max(tokens, key=len), topic), set()).add(_JOINT.join(tokens))
    found: dict[str, list[Cue]] = {}
    for (word, topic), patterns in phrases.items():
        longest_first = sorted(patterns, key=lambda pattern: (-len(pattern), pattern))
        found.setdefault(word, []).append(Cue(topic, "|".join(longest_first)))
    return {word: tuple(listed) for word, listed in found.items()}


def cues_in(low: str, words: set[str]) -> dict[Topic, list[int]]:
    """Return where the phrases with some of the given words end, by topic and in order.

    Args:
        low: The text in lower case.
        words: Keys of `cues()` that stand in it.
    """
    ends: dict[Topic, list[int]] = {}
    for word in words:
        for cue in cues()[word]:
            for match in cue.pattern.finditer(low):
                start = match.start()
                if not goes_on(low, start - 1):
                    ends.setdefault(cue.topic, []).append(match.end())
    return ends


@cache
def _ended(phrases: str) -> re.Pattern[str]:
    # All patterns together take half a second to compile, and a text has few of the words.
    return re.compile(f"(?:{phrases})(?![^\\W\\d_\u3000-\uffff])")


@cache
def japanese_cues() -> re.Pattern[str]:
    """Return a pattern of the Japanese words; the name of its group is the topic."""
    groups = [f"(?P<{topic}>{words})" for topic, words in _JAPANESE.items()]
    return re.compile("|".join(groups))
