"""Keys and tokens that give themselves away by how their issuer writes them.

One line for each shape. Where an issuer has changed the length over time, the shortest one that
was in use is the limit, and a token always goes on for as long as its alphabet does.
"""

import re
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from finetune.curate.secrets.likely import is_placeholder, is_random
from finetune.curate.secrets.rule import Rule, Span, begins

__all__ = ["SHAPES"]


class _Shape(NamedTuple):
    rule: str
    prefixes: str
    """What it begins with, as it is written; several are parted by spaces."""
    body: str
    """A regular expression for what follows."""
    is_word_like: bool = False
    """Ordinary names begin like that, so what follows must be random."""


_SHORTEST = 10
"""Every body has at least so many characters, and none has a space."""
_JUDGED = 120
"""So many characters decide whether it is one."""

_WORD = r"[A-Za-z0-9_\-]"
_ALNUM = "[A-Za-z0-9]"
_HEX = "[0-9a-f]"
_UUID = rf"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}"

_TABLE = (
    # models
    _Shape("anthropic_key", "sk-ant-", rf"[a-z]+[0-9]{{2}}-{_WORD}{{20,}}"),
    _Shape("openrouter_key", "sk-or-", rf"v[0-9]-{_HEX}{{40,}}"),
    _Shape("langfuse_key", "sk-lf-", _UUID),
    _Shape("openai_key", "sk-proj- sk-svcacct- sk-admin- sk-None-", rf"{_WORD}{{20,}}"),
    _Shape("openai_key", "sk-", rf"{_WORD}{{20,}}", is_word_like=True),
    _Shape("google_key", "AIza", rf"{_WORD}{{35,}}"),
    _Shape("google_key", "AQ.Ab", rf"{_WORD}{{40,}}"),
    _Shape("hugging_face_token", "hf_", rf"{_ALNUM}{{30,}}"),
    _Shape("hugging_face_token", "api_org_", rf"{_ALNUM}{{30,}}"),
    _Shape("groq_key", "gsk_", rf"{_ALNUM}{{40,}}"),
    _Shape("xai_key", "xai-", rf"{_ALNUM}{{40,}}"),
    _Shape("replicate_token", "r8_", rf"{_ALNUM}{{30,}}"),
    _Shape("perplexity_key", "pplx-", rf"{_ALNUM}{{32,}}"),
    _Shape("together_key", "tgp_v1_", rf"{_WORD}{{30,}}"),
    _Shape("nvidia_key", "nvapi-", rf"{_WORD}{{40,}}"),
    _Shape("fireworks_key", "fw_", rf"{_ALNUM}{{20,}}", is_word_like=True),
    _Shape("cerebras_key", "csk-", rf"{_ALNUM}{{30,}}", is_word_like=True),
    _Shape("jina_key", "jina_", rf"{_WORD}{{40,}}", is_word_like=True),
    _Shape("tavily_key", "tvly-", rf"{_WORD}{{20,}}", is_word_like=True),
    _Shape("firecrawl_key", "fc-", rf"{_HEX}{{32}}"),
    _Shape("voyage_key", "pa-", rf"{_WORD}{{40,}}", is_word_like=True),
    _Shape("elevenlabs_key", "sk_", rf"{_HEX}{{40,}}"),
    _Shape("langsmith_key", "lsv2_pt_ lsv2_sk_", rf"{_HEX}{{32}}_{_HEX}{{8,}}"),
    _Shape("pinecone_key", "pcsk_", r"\w{40,}"),
    _Shape("vercel_token", "vck_ vcp_ vci_", rf"{_ALNUM}{{24,}}"),
    _Shape("bedrock_key", "ABSK", r"[A-Za-z0-9+/]{60,}={0,2}"),
    # code and packages
    _Shape("github_token", "ghp_ gho_ ghu_ ghs_ ghr_", rf"{_ALNUM}[A-Za-z0-9_.\-]{{34,}}{_ALNUM}"),
    _Shape("github_token", "github_pat_", r"\w{40,}"),
    _Shape(
        "gitlab_token",
        "glpat- glptt- gldt- glrt- glrtr- glcbt- glft- glimt- glagent- gloas- glsoat- glffct-",
        rf"{_WORD}{{20,}}(?:\.{_WORD}{{1,100}}){{0,2}}",
    ),
    _Shape("gitlab_token", "GR1348941", rf"{_WORD}{{20,}}"),
    _Shape("npm_token", "npm_", rf"{_ALNUM}{{36,}}"),
    _Shape("pypi_token", "pypi-Ag", rf"{_WORD}{{50,}}"),
    _Shape("rubygems_key", "rubygems_", rf"{_HEX}{{40,}}"),
    _Shape("cargo_token", "cio", rf"{_ALNUM}{{32}}\b", is_word_like=True),
    _Shape("nuget_key", "oy2", r"[a-z0-9]{43}\b"),
    _Shape("docker_token", "dckr_pat_ dckr_oat_", rf"{_WORD}{{20,}}"),
    _Shape("artifactory_key", "AKCp", rf"{_ALNUM}{{50,}}"),
    _Shape("circleci_token", "CCIPAT_ CCIPRJ_", rf"{_ALNUM}{{15,}}_{_HEX}{{30,}}"),
    _Shape("buildkite_token", "bkua_", rf"{_HEX}{{40}}"),
    _Shape("sonarqube_token", "sqp_ squ_ sqa_", rf"{_HEX}{{40}}"),
    _Shape("sourcegraph_token", "sgp_", rf"(?:(?:local|{_HEX}{{16}})_)?{_HEX}{{40}}"),
    _Shape("postman_key", "PMAK-", rf"{_HEX}{{24}}-{_HEX}{{34}}"),
    _Shape("launchdarkly_key", "sdk- api-", _UUID),
    _Shape("bitbucket_password", "ATBB", rf"{_ALNUM}{{28,}}"),
    _Shape("atlassian_token", "ATATT3 ATCTT3", r"[A-Za-z0-9_\-=]{60,}"),
    # clouds
    _Shape("aws_access_key", "AKIA ASIA ABIA ACCA", r"[A-Z0-9]{16}(?![A-Z0-9])"),
    _Shape("google_oauth_secret", "GOCSPX-", rf"{_WORD}{{24,}}"),
    _Shape("google_oauth_token", "ya29.", rf"{_WORD}{{20,}}"),
    _Shape("google_oauth_token", "1//0", rf"{_WORD}{{40,}}"),
    _Shape("alibaba_key", "LTAI", rf"{_ALNUM}{{16,}}"),
    _Shape("tencent_key", "AKID", rf"{_ALNUM}{{32}}"),
    _Shape("yandex_key", "AQVN", rf"{_WORD}{{30,}}"),
    _Shape("digitalocean_token", "dop_v1_ doo_v1_ dor_v1_", rf"{_HEX}{{60,}}"),
    _Shape("databricks_token", "dapi", rf"{_HEX}{{32}}(?:-[0-9])?"),
    _Shape("heroku_key", "HRKU-", rf"{_WORD}{{30,}}"),
    _Shape("vault_token", "hvs. hvb. hvr.", rf"{_WORD}{{24,}}"),
    _Shape("fly_token", "fo1_ fm2_", r"[A-Za-z0-9+/_\-]{40,}={0,3}"),
    _Shape("netlify_token", "nfp_ nfc_", rf"{_ALNUM}{{30,}}"),
    _Shape("render_key", "rnd_", rf"{_ALNUM}{{24,}}", is_word_like=True),
    _Shape("supabase_key", "sbp_ sb_secret_", rf"{_WORD}{{24,}}"),
    _Shape("planetscale_token", "pscale_tkn_ pscale_pw_ pscale_oauth_", r"[\w.\-=]{30,}"),
    _Shape("doppler_token", "dp.pt. dp.st. dp.sa. dp.ct. dp.scim.", r"[\w.\-]{40,}"),
    _Shape("pulumi_token", "pul-", rf"{_HEX}{{40}}"),
    _Shape("prefect_key", "pnu_", rf"{_ALNUM}{{36}}"),
    _Shape("tailscale_key", "tskey-", rf"[a-z]+-{_ALNUM}{{8,}}-{_ALNUM}{{16,}}"),
    _Shape("age_key", "AGE-SECRET-KEY-1", "[A-Z0-9]{50,}"),
    _Shape("onepassword_token", "ops_eyJ", rf"{_WORD}{{100,}}=*"),
    # watching
    _Shape("grafana_token", "glsa_", rf"{_ALNUM}{{32}}_[0-9A-Fa-f]{{8}}"),
    _Shape("grafana_token", "glc_", r"[A-Za-z0-9+/]{32,}={0,2}"),
    _Shape("new_relic_key", "NRAK- NRAL- NRII- NRRA-", rf"{_WORD}{{20,}}"),
    _Shape("dynatrace_token", "dt0c01. dt0s01. dt0s16.", r"[A-Z0-9]{8,24}\.[A-Z0-9]{60,}"),
    _Shape("sentry_token", "sntrys_ sntryu_", r"[A-Za-z0-9_+/=]{40,}"),
    _Shape("posthog_key", "phx_", rf"{_ALNUM}{{30,}}"),
    # talking
    _Shape(
        "slack_token", "xoxa- xoxb- xoxc- xoxd- xoxe- xoxo- xoxp- xoxr- xoxs-", r"[\w.%/+\-]{10,}"
    ),
    _Shape("slack_token", "xoxe.xox xapp-", r"[\w.\-]{20,}"),
    _Shape("sendgrid_key", "SG.", rf"{_WORD}{{16,}}\.{_WORD}{{30,}}"),
    _Shape("mailgun_key", "key-", rf"{_HEX}{{32}}(?![0-9a-f])"),
    _Shape("brevo_key", "xkeysib- xsmtpsib-", rf"{_HEX}{{60,}}-{_ALNUM}{{12,}}"),
    _Shape("resend_key", "re_", rf"{_ALNUM}{{6,}}_{_ALNUM}{{20,}}", is_word_like=True),
    _Shape("twilio_key", " ".join(f"SK{c}" for c in "0123456789abcdef"), rf"{_HEX}{{31}}\b"),
    # paying and selling
    _Shape("stripe_key", "sk_live_ sk_test_ rk_live_ rk_test_", rf"{_ALNUM}{{16,}}"),
    _Shape("stripe_webhook_secret", "whsec_", r"[A-Za-z0-9+/]{24,}={0,2}"),
    _Shape("square_token", "sq0atp- sq0csp- sq0idp-", rf"{_WORD}{{22,}}"),
    _Shape("square_token", "EAAA", rf"{_WORD}{{56,}}"),
    _Shape("facebook_token", "EAA", rf"{_ALNUM}{{80,}}"),
    _Shape("shopify_token", "shpat_ shpca_ shppa_ shpss_ shpua_", r"[0-9a-fA-F]{32}"),
    _Shape("razorpay_key", "rzp_live_", rf"{_ALNUM}{{14,}}"),
    _Shape("plaid_token", "access-production- access-sandbox- access-development-", _UUID),
    _Shape("shippo_token", "shippo_live_", rf"{_HEX}{{40}}"),
    _Shape("easypost_key", "EZAK EZTK", rf"{_ALNUM}{{54}}"),
    # working together
    _Shape("notion_token", "ntn_ secret_", rf"{_ALNUM}{{40,}}"),
    _Shape("linear_key", "lin_api_ lin_oauth_", rf"{_ALNUM}{{32,}}"),
    _Shape("figma_token", "figd_ figo_ figu_", rf"{_WORD}{{30,}}"),
    _Shape("airtable_token", "pat", rf"{_ALNUM}{{14}}\.{_HEX}{{64}}"),
    _Shape("hubspot_token", "pat-na pat-eu pat-ap", rf"[0-9]-{_UUID}"),
    _Shape("typeform_token", "tfp_", r"[\w\-]{40,}"),
    _Shape("contentful_token", "CFPAT-", rf"{_WORD}{{40,}}"),
    _Shape("clojars_token", "CLOJARS_", rf"{_HEX}{{60}}"),
    _Shape("dropbox_token", "sl.", rf"{_WORD}{{60,}}"),
    _Shape("mapbox_token", "sk.eyJ", r"[\w\-]{40,}\.[\w\-]{20,}"),
    _Shape("openshift_token", "sha256~", rf"{_WORD}{{43}}"),
)


def _find(
    pattern: re.Pattern[str],
    whole: re.Pattern[str],
    is_secret: Callable[[str], bool],
    text: str,
    at: int,
) -> Span | None:
    match = pattern.match(text, at)
    if match is None or not begins(text, at) or not is_secret(match[1]):
        return None
    if match.end() - at >= _JUDGED:
        match = whole.match(text, at) or match
    return Span(*match.span())


def _is_no_placeholder(body: str) -> bool:
    return not is_placeholder(body)


def _rule(shape: _Shape) -> Rule:
    prefixes = shape.prefixes.split()
    begin = f"(?:{'|'.join(map(re.escape, prefixes))})"
    # A text full of beginnings must not be read to its end for each of them.
    judged = re.sub(r"\{([0-9]+),\}", rf"{{\1,{_JUDGED}}}", shape.body)
    pattern, whole = re.compile(f"{begin}({judged})"), re.compile(f"{begin}({shape.body})")
    test = is_random if shape.is_word_like else _is_no_placeholder
    return Rule(
        shape.rule,
        tuple(prefix.lower() for prefix in prefixes),
        partial(_find, pattern, whole, test),
        _SHORTEST,
    )


SHAPES = tuple(map(_rule, _TABLE))
"""The rules for all of them; where two know the same token, the first names it."""
