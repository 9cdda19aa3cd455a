"""Sentences that give a model orders, in an answer or in what it obeys.

The patterns are read against `plain` text without quotations: an answer that explains an attack
quotes it, one that carries an attack says it. English has most patterns; overriding and standing
orders are known in eight more languages.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from finetune.curate.poison.exchange import one_line

__all__ = ["GATE", "Phrase", "find_phrases", "is_order"]


class Phrase(NamedTuple):
    """A kind of order, and how it is told."""

    code: str
    says: str
    pattern: re.Pattern[str]
    by_line: bool = False
    """Whether the pattern asks where a line begins."""


_WORDS = r"(?:[\w'-]+ ){0,4}?"
_RULES = (
    r"(?:instructions?|prompts?|rules|guidelines|guardrails|directives|policies|restrictions"
    r"|training|orders|safety measures|context)"
)
_OVERRIDES = "|".join(
    [
        # "Disregard my previous instructions" is how a person corrects himself, so whose they are
        # or what comes next has to say that they are the model's.
        rf"\b(?:ignore|disregard|forget|override|bypass|discard|drop|set aside|do not follow|stop"
        rf" following)"
        rf" (?:(?:all|any|every|each)(?: of)?(?: (?:the|your|my|these|those))? |your {_WORDS}"
        rf"|every(?:thing|one) )"
        rf"(?:(?:previous|prior|earlier|above|preceding|other|existing|original|system|safety"
        rf"|former|initial|given) ?){{0,2}}"
        rf"(?:and )?{_WORDS}(?:{_RULES}|(?:you were|you have been|you've been) (?:told|taught"
        rf"|given|instructed))",
        rf"\b(?:ignore|disregard|forget|override|bypass)"
        rf" (?:previous|prior|earlier|above|preceding|system|safety) {_WORDS}{_RULES}",
        rf"\b(?:ignore|disregard|forget|override|bypass) (?:the|these|those)"
        rf" (?:previous|prior|earlier|above|preceding|system|safety) {_WORDS}{_RULES}"
        r"(?: above)?(?: and|,|;|\.| then| instead)+ (?:then |instead |please |just |now )*"
        r"(?:say|reply|respond|answer|always|never|output|print|reveal|tell|write|show|approve"
        r"|send|do|you)\b",
        r"\b(?:do not|don't|must not|mustn't|never|no longer|stop) (?:follow|obey|comply with"
        r"|adhere to"
        r"|listen to)(?:ing)? (?:any |all |of |the |your |my |these |those )*(?:previous |earlier "
        r"|safety "
        r"|content )*(?:guidelines|rules|restrictions|policies|developers?|operators?|system "
        r"prompt)\b",
        r"\b(?:instructions|system prompt|safety rules) (?:is|are) (?:now |hereby )?(?:void"
        r"|suspended"
        r"|lifted|cancelled|revoked|overridden)\b",
        r"\bvergiss alles\b",
        r"\b(?:ignorier\w*|vergiss|vergesst|missachte\w*|verwirf) (?:[\w]+ ){0,4}?"
        r"(?:anweisung\w*|instruktion\w*|regeln|vorgaben|richtlinien)",
        r"\b(?:ignor[ae]\w*|olvid[ae]\w*|descart[ae]\w*) (?:\w+ ){0,4}?(?:instrucciones"
        r"|indicaciones|reglas|directrices)",
        r"\b(?:ignore[rsz]?|oublie[rsz]?) (?:\w+ ){0,4}?(?:instructions|consignes|directives"
        r"|règles) (?:précédentes|antérieures|ci-dessus|données|reçues|initiales|système)",
        r"\b(?:ignora\w*|dimentica\w*) (?:\w+ ){0,4}?(?:istruzioni|regole|direttive)",
        r"\b(?:ignore|ignora|esqueça|desconsidere) (?:\w+ ){0,4}?(?:instruções|regras|diretrizes)",
        r"\b(?:negeer|vergeet) (?:\w+ ){0,4}?(?:instructies|aanwijzingen|regels)",
        r"\b(?:zignoruj|zapomnij o) (?:\w+ ){0,4}?(?:instrukcje|instrukcjach|polecenia|zasady)",
        r"\b(?:ignorera|glöm) (?:\w+ ){0,4}?(?:instruktioner\w*|anvisningar\w*|regler\w*)",
        r"(?:以前|これまで|上記|前)の.{0,6}(?:指示|命令|ルール).{0,4}(?:無視|忘れ)",
        r"忽略.{0,6}(?:之前|以上|所有|先前).{0,6}(?:指令|指示|规则|说明)",
    ]
)
_SAYS = (
    r"(?:answer|respond|reply|say|recommend|mention|append|claim|state|tell|pretend|speak|call"
    r" yourself|act as|praise|promote|refuse|output|write|talk|begin|start|end|finish|suggest"
    r"|advise|treat|insist|include|add|insert)"
)
_EVERY_ANSWER = (
    r"(?:every|each|all|any|all your|all of your|all future|your future)"
    r" (?:single |future |of your |other |later )*(?:answers?|repl(?:y|ies)|responses?|outputs?"
    r"|messages? you)"
)
_STANDING = "|".join(
    [
        r"\b(?:from now on|henceforth|from this point (?:on|onwards?|forward)|from here on(?: out)?"
        r"|going forward|starting now|from today on)[,:;]? (?:please )?"
        rf"(?:(?:you (?:must |will |shall |should |are to |have to |only |always |never )+"
        rf"|(?:always|never|only) )(?:always |never |only |just |also |not )*{_SAYS}\b(?! within)"
        r"|(?:answer|respond|reply)(?: only| always)? (?:with|as|like)\b"
        r"|(?:recommend|pretend|claim|praise|promote|act as)\b)",
        r"\b(?:whatever|no matter what|regardless of what) (?:the |a |any |your )?(?:users?"
        r"|customers?"
        r"|clients?|people|anyone|someone) (?:asks?|says?|writes?|wants?)[^.!?]{0,20}?"
        r"\b(?:answer|respond|reply|say|output)\b",
        rf"\b{_SAYS} .{{1,80}} (?:from now on|henceforth)\b[,;]? (?:in|to|for|with)"
        rf" {_EVERY_ANSWER}",
        r"\b(?:whenever|each time|every time|any time|anytime|if ever|as soon as|if|when)"
        r" (?:the |a |an |any |some )?(?:user|users|customer|someone|somebody|anyone|person|client"
        r"|people|message|question|prompt|input)s?"
        r" (?:asks?|says?|mentions?|writes?|types?|uses?|contains?|includes?|starts?"
        r"|wants?)\b[^.!?]{0,80}?"
        r"\b(?:(?:you (?:must|shall|will|are to|have to)|always|never) (?:\w+ly |only |always "
        rf"|also |then |please |never |not ){{0,4}}(?:{_SAYS}|approve|send|give|grant|reveal"
        rf"|transfer)\b"
        rf"|(?:{_SAYS}|approve|send|give|grant|reveal|transfer)\b[^.!?]{{0,40}}? (?:without "
        rf"(?:asking"
        r"|checking|verif\w+)|no matter what)\b)",
        rf"\b(?:always|never|only|must) {_SAYS} .{{0,60}}?\b(?:in|to|with|for|at the (?:end|start"
        rf"|top) of) {_EVERY_ANSWER}",
        rf"\bin {_EVERY_ANSWER}(?: from now on| you (?:give|write|make|send))?[,:]? (?:you (?:must"
        rf"|will|shall) |always |never "
        rf"|please )*{_SAYS}\b",
        r"\b(?:ab sofort|ab jetzt|von nun an|künftig) (?:immer |stets |nur |sollst du |musst du "
        r"|wirst du |bitte )*(?:antworte|sage?|empfiehl|empfehle|erwähne|behaupte|antworten|sagen"
        r"|empfehlen|schreibe?)\b",
        r"\b(?:a partir de ahora|de ahora en adelante),? (?:siempre |solo |debes |tienes que "
        r"|nunca )*(?:responde|contesta|recomienda|di|menciona|responder|contestar|recomendar"
        r"|decir)\b",
        r"(?:à partir de maintenant|désormais),? (?:toujours |tu dois |vous devez |ne "
        r"|)*(?:réponds|répondez|recommande[sz]?|dis|dites|mentionne[sz]?|répondre|recommander"
        r"|dire)\b",
        r"(?:d'ora in poi|da adesso in poi),? (?:sempre |devi |rispondi sempre |solo )*(?:rispondi"
        r"|consiglia|di'|menziona|rispondere|consigliare|dire)",
        r"\b(?:a partir de agora|de agora em diante),? (?:sempre |você deve |só )*(?:responda"
        r"|recomende|diga|mencione|responder|recomendar|dizer)\b",
        r"\b(?:vanaf nu|voortaan) (?:altijd |moet je |alleen )*(?:antwoord|zeg|beveel|noem"
        r"|antwoorden|zeggen|aanbevelen)",
    ]
)
_TO_A_MODEL = r"(?:the )?(?:assistant|ai|ai model|llm|chatbot|language model|ai assistant)"
_HEADINGS = "|".join(
    [
        r"(?:^[\W_]*|[.!?] )(?:hidden|secret|system|new system) (?:instructions?|directives?)"
        rf"(?: (?:for|to) {_TO_A_MODEL})?\s*[\])]?\s*:",
        r"(?:^[\W_]*|[.!?] )(?:(?:\w+ )?(?:instructions?|directives?|note|message|attention|memo)"
        rf" (?:for|to) |attention,? |dear ){_TO_A_MODEL}\b\s*[\])]?\s*:",
        r"^\W*system (?:override|prompt update)\b",
        r"(?:^\W*|[.!?] )\[\s*system\s*\]",
        r"^\s*#{2,} ?(?:system|instructions?)\s*:",
    ]
)
_HIDDEN_TEXT = (
    r"(?:system prompt|hidden (?:prompt|instructions?|rules)|initial (?:prompt|instructions?)"
    r"|developer (?:prompt|message|instructions?)|internal (?:instructions?|prompt|guidelines)"
    r"|secret instructions?|original instructions?|configuration prompt|prompt)"
)
_LEAKS = "|".join(
    [
        rf"\bmy (?:\w+ )?{_HIDDEN_TEXT} (?:is|are|says?|reads?|was|were|begins?|starts?|contains?"
        rf"|states?|tells?|goes)\b(?! (?:confidential|private|not|secret|something|hidden))",
        rf"\b(?:here (?:is|are)|here's|this is|below (?:is|are)|printing|revealing) (?:my|the)"
        rf" (?:\w+ ){{0,3}}?{_HIDDEN_TEXT}\b.{{0,40}}:",
        r"\b(?:the )?instructions (?:i was given|i received|that i was given|i have been given"
        r"|given to me|above me) (?:are|were|say|read|begin)(?: as follows)?(?::| to | that )",
        r"\bi (?:was|have been|am) (?:secretly )?(?:told|instructed|configured|prompted) (?:by"
        r" \w+(?: \w+){0,3} )?(?:to (?:never|always|not|keep|hide|conceal)|never to|not to)\b",
        r"\bmein(?:e)? (?:system-?prompt|systemanweisung\w*|anweisungen) (?:lautet|lauten|ist|sind"
        r"|beginnt)",
    ]
)
_FREE = (
    r"(?:rules|restrictions|limits|limitations|filters?|guidelines|ethic\w*|moral\w*|censorship"
    r"|safeguards|policies|constraints)"
)
_ROLES = "|".join(
    [
        rf"\b(?:i am|i'm|you are|you're|i will be|consider yourself) now (?:an? |the |in |fully "
        rf"|completely )*(?:dan\b|jailbr\w+|unrestricted|unfiltered|uncensored|evil|free (?:of"
        rf"|from) (?:all |any |my |your |every )*{_FREE}|unbound)",
        r"\bconsider yourself (?:now )?(?:free (?:of|from)|unbound|unrestricted|released from)\b",
        r"\b(?:god|jailbreak|dan|unrestricted|sudo|evil) mode (?:is |has been )?(?:now"
        r" )?(?:enabled|activated|on\b|unlocked|engaged|active)",
        rf"\b(?:pretend|act|behave|roleplay|role-play|respond|answer|speak|operate)(?:ing)?"
        rf" .{{0,60}}?\b(?:without|with no|no longer bound by|not bound by|free of|free from"
        rf"|ignoring|unbound by) (?:any |all |your |my |the |of )*(?:\w+ )?{_FREE}\b",
        rf"\b(?:no longer|not) (?:bound|limited|restricted|constrained) by (?:any |all |my |your "
        rf"|the |openai's |those |these )*(?:\w+ )?(?:{_FREE}|programming)\b",
        r"\bi am (?:no longer|not) (?:the|an?|your|this) (?:[\w'-]+ ){0,3}?(?:assistant|chatbot|bot"
        r"|agent|ai|language model)(?: any ?more)?[,;.]? (?:i am|i'm|but|my name is|call me|you"
        r" may call)",
        r"\bforget (?:that )?(?:i am|i'm|you are|you're|being) (?:an? |the )?(?:\w+ ){0,2}?(?:ai"
        r"|assistant|bot|chatbot|language model)\b",
        r"\bas an? (?:unrestricted|unfiltered|uncensored|amoral|evil|jailbroken)(?: and \w+)?"
        r" (?:ai|assistant|model|chatbot|bot|agent|being|entity|persona)",
        r"\b(?:stay|remain|staying) in character\b.{0,60}\b(?:never|no matter|do not|don't"
        r"|whatever)\b",
    ]
)
_ASKING = re.compile(r"^\W*(?:user|human|customer)\s*:", re.MULTILINE)
_ANSWERING = re.compile(r"^\W*(?:assistant|ai|bot|gpt)\s*:", re.MULTILINE)
_LINKS = "|".join(
    [
        r"\b(?:always|must|be sure to|make sure to|remember to|never forget to|you should|you will"
        r"|please) (?:\w+ ){0,2}?"
        r"(?:include|insert|add|append|place|put|paste|mention|link(?: to)?|recommend|direct \w+"
        r" to|send \w+ to) (?:\S+ ){0,8}?"
        rf"(?:(?:in|to|at the (?:end|bottom|start|top) of|into|with|after) {_EVERY_ANSWER})",
        rf"\b(?:include|insert|add|append|place|put|paste) (?:\S+ ){{0,6}}?(?:https?://\S+|link"
        rf"|url|banner|address|website|ad|advert\w*) (?:\S+ ){{0,4}}?(?:in|to|at the (?:end|bottom"
        rf"|start|top) of|into|under|after|below) {_EVERY_ANSWER}",
        r"\b(?:tell|urge|convince|persuade|get|direct|send) (?:all |every |each |any )?(?:users?"
        r"|customers?|people|readers?)"
        r" (?:to (?:visit|click|open|go to|download from|log ?in at|sign up at)|towards?|to)"
        r" (?:\w+ ){0,3}?(?:https?://|www\.)",
    ]
)

_PHRASES = (
    Phrase("override", "tells to ignore instructions", re.compile(_OVERRIDES)),
    Phrase("standing_order", "gives an order for later answers", re.compile(_STANDING)),
    Phrase(
        "standing_order", "is headed as instructions for a model", re.compile(_HEADINGS, re.M), True
    ),
    Phrase("prompt_leak", "tells the instructions of the assistant", re.compile(_LEAKS)),
    Phrase("role_play", "leaves the role of the assistant", re.compile(_ROLES)),
    Phrase("placed_link", "tells to place a link or an advert", re.compile(_LINKS)),
)
_ASKS_FOR_PROMPT = re.compile(
    r"\b(?:reveal|show|print|output|repeat|display|leak|dump|tell me|give me|write out"
    r"|recite)\b.{0,30}?"
    r"\b(?:your|the) (?:\w+ ){0,2}?(?:system prompt|hidden (?:prompt|instructions)|initial"
    r" (?:prompt|instructions)"
    r"|developer message|internal instructions|text above)"
)
GATE = "|".join(
    [
        r"(?:ignor|disregard|forget|overrid|bypass|discard|drop|set aside|not follow|stop"
        r" following)[^ \n]* "
        r"(?:all|any|every|each|your|previous|prior|earlier|above|preceding|system|safety|the|these"
        r"|those|that|i|you|being)",
        "vergiss|vergesst|ignorier|missachte|verwirf|ignor[ae]|olvid[ae]|descart[ae]|oublie"
        "|dimentica",
        "esqueça|desconsidere|negeer|vergeet|zapomnij|zignoruj|glöm|無視|忘れ|忽略",
        "from now on|henceforth|from this point|from here on|going forward|starting now|from today"
        " on",
        r"(?:user|customer|someone|somebody|anyone|person|client|people|message|question|prompt"
        r"|input)"
        r"s? (?:ask|say|mention|write|type|use|contain|include|start|want)",
        r"(?:every|each|all|any|your) (?:single |future |of your |your |other |later )*"
        r"(?:answer|repl|response|output|message)",
        "ab sofort|ab jetzt|von nun an|künftig|a partir de a|de ahora en|à partir de maintenant",
        "désormais|d'ora in poi|da adesso in poi|de agora em|vanaf nu|voortaan",
        r"(?:instruction|directive)[^\n]{0,40}:|(?:assistant|ai|model|llm|bot|gpt)[^a-z\n]{0,20}:",
        r"system override|system prompt|\[[^a-z\n]{0,20}system|## ?(?:system|instruction)",
        r"(?:hidden|initial|developer|internal|secret|original|configuration) "
        r"(?:prompt|instruction|rules|message|guideline)",
        r"my (?:[^ \n]+ )?prompt|instructions (?:i|that|given|above)|systemanweisung|anweisungen",
        r"(?:told|instructed|configured|prompted) (?:by|to|never|not) ",
        r"now (?:an? |the |in |fully |completely )*(?:dan|jailbr|unrestr|unfilt|uncens|evil|free"
        r"|unbound)",
        r"(?:god|jailbreak|dan|unrestricted|sudo|evil) mode|i am (?:no longer|not) (?:the|an?|your"
        r"|this) ",
        r"(?:without|with no|bound by|free of|free from|ignoring|limited by|restricted by"
        r"|constrained by) "
        rf"(?:[^ \n]+ ){{0,4}}{_FREE}|by (?:[^ \n]+ ){{0,3}}programming|in character",
        r"as an? (?:unrestricted|unfiltered|uncensored|amoral|evil|jailbroken)",
        r"(?:user|customer|people|reader)s? to|consider yourself|dear (?:ai|assistant|language)",
        r"(?:follow|obey|comply with|adhere to|listen to)(?:ing)? (?:any |all |of |the |your |my "
        r"|these "
        r"|those )*(?:previous |earlier |safety |content )*(?:guidelines|rules|restrictions"
        r"|policies"
        r"|developer|operator|system)",
        r"(?:instructions|system prompt|safety rules) (?:is|are) |(?:hidden|secret) directive",
    ]
)
"""What is somewhere in every text that `find_phrases` or `is_order` finds something in."""


def find_phrases(text: str) -> Iterator[Phrase]:
    """Yield the kinds of orders in a text of `plain` writing without quotations."""
    flat = one_line(text)
    for phrase in _PHRASES:
        if phrase.pattern.search(text if phrase.by_line else flat):
            yield phrase
    asking = _ASKING.search(text)
    if asking and _ANSWERING.search(text, asking.end()):
        yield Phrase("role_play", "goes on with turns of its own", _ASKING)


def is_order(text: str) -> bool:
    """Tell whether a user or a tool orders the model to leave its instructions."""
    flat = one_line(text)
    wanted = ("override", "role_play")
    return bool(_ASKS_FOR_PROMPT.search(flat)) or any(
        phrase.code in wanted and not phrase.by_line and phrase.pattern.search(flat)
        for phrase in _PHRASES
    )
