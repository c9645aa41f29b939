"""The rules of redaction, as a table: what a secret looks like in a text, and what only looks like one."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import re2

MARK: Final = "[redacted]"
_MARK: Final = MARK.encode()

_OPTIONS: Final = re2.Options()
_OPTIONS.encoding = re2.Options.Encoding.LATIN1
_OPTIONS.log_errors = False


class Rule(NamedTuple):
    """A pattern whose only group is the secret; `holds` may still say that what was found is none."""

    pattern: Any
    holds: Callable[[bytes], bool]


def apply(rule: Rule, content: bytes) -> bytes:
    """Replace what a rule finds, line by line, so that the lines keep their numbers."""
    pieces: list[bytes] = []
    end = 0
    for found in rule.pattern.finditer(content):
        secret = found[1]
        start, stop = found.span(1)
        before = content[found.start() : start].rstrip(b"\\\"'=: \t")
        done = _MARK in content[max(start - 1, 0) : stop + 1]
        if done or not rule.holds(secret) or before.lower().endswith(_NAMES_OF_OTHERS):
            continue
        pieces += [content[end:start], b"\n".join(_blank_line(line) for line in secret.split(b"\n"))]
        end = stop
    return b"".join([*pieces, content[end:]]) if pieces else content


def may_hold_secrets(content: bytes) -> bool:
    """Say whether any rule matches, in one pass."""
    return _ANY.search(content) is not None


def is_value(found: bytes) -> bool:
    """Say whether what stands after `password=` can be a secret, and is no reference, placeholder or plain word."""
    bare = found.strip(b"\"'\\,;) \t\r\n")
    return bool(bare) and not bare.startswith(_REFERENCES) and bare.lower() not in _PLAIN


def is_basic(found: bytes) -> bool:
    """Say whether base64 text holds `user:password`."""
    decoded = _decoded(found)
    return decoded is not None and b":" in decoded and decoded.isascii() and decoded.decode("ascii").isprintable()


def is_secret_name(name: str) -> bool:
    """Say whether what bears this name is a secret; `TOKEN_FILE`, `secretName` and `existingSecret` are references."""
    raw = name.encode("utf-8", "surrogatepass")
    return _FULL_NAME.fullmatch(raw) is not None and not raw.lower().endswith(_NAMES_OF_OTHERS)


def is_secret_flag(word: str) -> bool:
    """Say whether the next word of a command line is a secret."""
    return _FULL_FLAG.fullmatch(word.encode("utf-8", "surrogatepass")) is not None


def _blank_line(line: bytes) -> bytes:
    bare = line.strip()
    return line.replace(bare, _MARK, 1) if bare else line


def _is_something(found: bytes) -> bool:
    return bool(found.strip())


def _is_encoded_key(found: bytes) -> bool:
    """Say whether base64 text holds a private key; certificates are public."""
    decoded = _decoded(found[: len(found) // 4 * 4])
    return decoded is not None and b"PRIVATE KEY" in decoded


def _is_argument(found: bytes) -> bool:
    return is_value(found) and not found.startswith(b"-") and found.lower() not in _PROSE


def _is_login(found: bytes) -> bool:
    user, _, password = found.partition(b":")
    return is_value(password) and not (user.isdigit() and password.isdigit())


def _decoded(found: bytes) -> bytes | None:
    try:
        return base64.b64decode(found, validate=True)
    except (binascii.Error, ValueError):
        return None


#: What a value that is only a reference or a placeholder starts with; `id=` and `type=` are BuildKit's secret mounts.
_REFERENCES: Final = (b"$", b"<", b"***", b"xxx", b"{{", b"%(", b"[redacted", b"id=", b"type=", b"src=", b"env=")
_PLAIN: Final = frozenset(b"true false null none nil yes no ~ { {} [ [] | > |- >- |+ >+".split())
#: Words that follow the name of a flag in a sentence about it.
_PROSE: Final = frozenset(
    b"and are argument as can cannot field file flag for from has in instead is must not of on option or required"
    b" requires set should the to using value via was were will with".split()
)
#: These end in `secret` or `key` and name an object, not its content.
_NAMES_OF_OTHERS: Final = (b"existingsecret", b"pullsecret", b"pull-secret", b"publishsecret", b"existing-secret")

_WORDS: Final = (
    r"(?:pass(?:word|wd|phrase)|secret|token|api[_-]?key|access[_-]?key|secret[_-]?key|account[_-]?key|private[_-]?key"
    r"|client[_-]?key(?:[_-]data)?|signing[_-]?key|encryption[_-]?key|credentials?|auth[_-]?header)"
)
_NAME: Final = rf"[A-Za-z0-9_.-]*{_WORDS}"
_FLAG: Final = (
    r"--?(?:[a-z0-9.-]*-)?(?:password|passwd|passphrase|token|api-key|access-key|secret-key|client-secret"
    r"|account-key|private-key-password)"
)
_FULL_NAME: Final = re2.compile(rf"(?i){_NAME}".encode(), _OPTIONS)
_FULL_FLAG: Final = re2.compile(rf"(?i){_FLAG}".encode(), _OPTIONS)

#: A quote, also an escaped one as in JSON inside JSON.
_Q: Final = r"""\\*["']"""
_KEY: Final = r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
_AUTHORIZATION: Final = rf"(?i)\b(?:proxy-)?authorization(?:{_Q})?\s*[:=]\s*\[?\s*(?:{_Q})?\s*"


def _rule(pattern: str, holds: Callable[[bytes], bool] = is_value) -> Rule:
    return Rule(re2.compile(pattern.encode(), _OPTIONS), holds)


#: Applied in this order. Every repetition ends at a delimiter or a bound.
RULES: Final[Sequence[Rule]] = (
    # Whole private keys, then one whose end was cut off; inside JSON their line ends are `\n`.
    _rule(rf"(?s){_KEY}(.*?)-----END [A-Z0-9 ]{{0,40}}PRIVATE KEY", _is_something),
    _rule(rf"{_KEY}((?:(?:\s|\\r|\\n)*[A-Za-z0-9+/=]{{16,}})+)", _is_something),
    _rule(r"(LS0tLS1CRUdJTi[A-Za-z0-9+/=]+)", _is_encoded_key),
    # Userinfo: all of it over http, where it may be a token alone; elsewhere only with a password. `image:tag@sha256:`
    # has none.
    _rule(r"""(?i)\bhttps?://([^\s/?#"'<>\\]+)@""", _is_something),
    _rule(
        r"""(?i)\b(?:git|ssh|ftps?|postgres(?:ql)?|mysql|mariadb|rediss?|amqps?|mongodb(?:\+srv)?|smtps?|ldaps?|wss?|tcp)"""
        r"""(?:\+[a-z]+)?://([^\s/?#"'<>\\:@]*:[^\s/?#"'<>\\]+)@""",
        _is_something,
    ),
    # Tokens that tell themselves: JWT, GitHub, GitLab, AWS, Google, Azure, Slack, npm, PyPI, Docker Hub, k3s.
    _rule(r"(\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*)"),
    _rule(r"(\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{22,}))"),
    _rule(r"(\bgl(?:pat|dt|rt|cbt|ptt|ft|soat|imt|agent|oas)-[A-Za-z0-9_-]{20,})"),
    _rule(r"(\b(?:A3T[A-Z0-9]|ABIA|ACCA|AKIA|ASIA)[A-Z0-9]{16}\b)"),
    _rule(r"(\bAIza[A-Za-z0-9_-]{35}|\bya29\.[A-Za-z0-9_-]{20,})"),
    _rule(r"(\b[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34})"),
    _rule(r"(\bxox[abeoprs]-[A-Za-z0-9-]{10,}|\bnpm_[A-Za-z0-9]{36}|\bpypi-[A-Za-z0-9_-]{50,})"),
    _rule(r"(\bdckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}|\bK10[0-9a-f]{50,}::[A-Za-z0-9:]+)"),
    # Headers; a challenge (`Www-Authenticate: Bearer realm=...`) is none.
    _rule(rf"""{_AUTHORIZATION}(?:basic|bearer|token|negotiate|aws4-hmac-sha256)\s+([^\s"'\\\]][^\r\n"'\\\]]*)"""),
    _rule(rf"""{_AUTHORIZATION}([^\s"'\\\[\]]{{8,}})(?:{_Q}|\]|\s*[\r\n]|\s*$)"""),
    _rule(
        rf"(?i)\b(?:x-(?:registry-auth|auth-token|api-key|vault-token|amz-security-token)|private-token|job-token"
        rf"""|(?:set-)?cookie)(?:{_Q})?\s*:\s*\[?\s*(?:{_Q})?([^\s"'\\\]][^\r\n"'\\\]]*)"""
    ),
    _rule(r"(?i)\bbearer\s+([A-Za-z0-9._~+/-]{16,}=*)"),
    _rule(r"(?i)\bbasic\s+([A-Za-z0-9+/]{6,}={0,2})", is_basic),
    # Signed URLs.
    _rule(r"""(?i)[?&](?:sig|signature|x-(?:amz|goog)-(?:signature|credential|security-token))=([^&\s"'#\\]+)"""),
    # Values named as secrets: query, JSON (also inside JSON), environment and `key = value`, flags, YAML, Go structs.
    _rule(rf"""(?i)[?&]{_NAME}=([^&\s"'#\\]+)"""),
    _rule(rf"""(?i)"{_NAME}"\s*:\s*"((?:[^"\\\r\n]|\\.)+)\""""),
    _rule(rf"""(?i)'{_NAME}'\s*:\s*'([^'\r\n]+)'"""),
    _rule(rf"""(?i)\\+"{_NAME}\\+"\s*:\s*\\+"([^"\\\r\n]+)"""),
    _rule(r"""(?i)"auth"\s*:\s*"([A-Za-z0-9+/=]+)\"""", is_basic),
    _rule(r"""(?i)\\+"auth\\+"\s*:\s*\\+"([A-Za-z0-9+/=]+)""", is_basic),
    _rule(rf"""(?i)\b{_NAME}[ \t]?=[ \t]?"((?:[^"\\\r\n]|\\.)+)\""""),
    _rule(rf"""(?i)\b{_NAME}[ \t]?=[ \t]?'([^'\r\n]+)'"""),
    _rule(rf"""(?i)\b{_NAME}[ \t]?=[ \t]?(?:{_Q})?([^\s"'\\]+)"""),
    _rule(rf"""(?i)(?:^|[\s"'\[`])(?:{_FLAG})(?:{_Q})?[,\s]\s?(?:{_Q})?([^\s"'\\,\]`]+)""", _is_argument),
    _rule(rf"""(?im)^(?:#\d+ [\d.]+ )?[ \t]*(?:- )?{_NAME}:[ \t]+"([^"\r\n]+)"[ \t]*\r?$"""),
    _rule(rf"""(?im)^(?:#\d+ [\d.]+ )?[ \t]*(?:- )?(?:{_Q})?{_NAME}(?:{_Q})?:[ \t]+([^\s"']\S*)[ \t]*\r?$"""),
    _rule(r"""(?im)^[ \t]*(?:- )?[A-Za-z0-9_.-]*pass(?:word|phrase):[ \t]+([^\s"'][^\r\n]*)"""),
    _rule(r"""\b(?:Password|Token|Secret|IdentityToken|RegistryToken|SecretAccessKey):([^\s"'\\,}\]:]{4,})"""),
    # The two lines, or the two keys, of an environment variable in a manifest.
    _rule(rf"""(?i)\bname:[ \t]*(?:{_Q})?{_NAME}(?:{_Q})?[ \t]*\r?\n[ \t]*value:[ \t]+([^\r\n]+)"""),
    _rule(rf"""(?i)"name"\s*:\s*"{_NAME}"\s*,\s*"value"\s*:\s*"((?:[^"\\\r\n]|\\.)+)\""""),
    _rule(rf"""(?i)\\+"name\\+"\s*:\s*\\+"{_NAME}\\+"\s*,\s*\\+"value\\+"\s*:\s*\\+"([^"\\\r\n]+)"""),
    # Command lines and netrc.
    _rule(r"""\bcurl\b[^\r\n]*?\s(?:-u|--user)[ =]?["']?([^\s"':]+:[^\s"']+)""", _is_login),
    _rule(r"""(?i)\blogin\b[^\r\n]*?\s-p[ =]?["']?([^\s"']+)""", _is_argument),
    _rule(r"""\bmachine\s+\S+\s+login\s+\S+\s+password\s+(\S+)"""),
)

#: All of them as one pattern: most texts hold nothing, and this says so at once.
_ALL: Final = re2.Options()
_ALL.encoding = re2.Options.Encoding.LATIN1
_ALL.never_capture = True
_ALL.max_mem = 64 * 1024 * 1024
_ANY: Final = re2.compile(b"|".join(b"(?:%s)" % rule.pattern.pattern for rule in RULES), _ALL)
