"""The build context cannot be fetched."""

from __future__ import annotations

from typing import Final

from conformance.classify.records import FailureClass, Rule, Tier
from conformance.classify.wording import NO_SUCH_HOST
from conformance.model import Layer, VerdictKind

_GIT: Final = Layer.GIT
_CONTEXT: Final = "https://docs.docker.com/build/concepts/context/#git-repositories"
#: Words of git, curl inside git, ssh and of BuildKit's git source.
_BY_GIT: Final = (
    r"(?:unable to access|fatal:|git (?:error|stderr)|fetch(?:ing)? (?:remote|default branch|origin)|git (?:clone"
    r"|fetch|ls-remote|pull)"
    r"|Cloning into|git source|git-upload-pack|ssh:|could not fetch|go-git)"
)
_NOT_CURL: Final = r"curl: \(\d+\)"
_SUBMODULE: Final = r"submodule"

CLASSES: Final = (
    FailureClass(
        name="git-subdir-missing",
        layer=_GIT,
        kind=VerdictKind.BAD_INPUT,
        meaning="The folder after `#ref:` does not exist in the repository.",
        remedy="Fix the context's `#ref:subdir`.",
        reference=_CONTEXT,
        explains=("dockerfile-missing",),
        rules=(
            Rule(
                pattern=r"'git clone' to temporary context directory: l?stat \S+: no such file|invalid subdir"
                r"|sub-?dir(?:ectory)? \S+ (?:not found|does not exist|is not a directory)"
            ),
        ),
    ),
    FailureClass(
        name="dockerfile-missing",
        layer=_GIT,
        kind=VerdictKind.BAD_INPUT,
        meaning="There is no Dockerfile at the place named in the context.",
        remedy="Check `#ref:subdir` and the filename option.",
        reference=_CONTEXT,
        rules=(
            Rule(
                pattern=r"failed to read dockerfile: (?:[\w /:-]{0,60}: )?(?:open .*)?no such file"
                r"|(?:open|stat|lstat|evalsymlinks|GetFileAttributesEx) \S*(?:Dockerfile"
                r"|Containerfile)\S*: .*(?:no such file|cannot find)"
                r"|(?:resolving dockerfile path|valid path to a Dockerfile|evaluate symlinks in Dockerfile path)"
                r"|(?:could not|cannot|can't|unable to|failed to) (?:find|locate|open|stat)\b.*(?:Dockerfile"
                r"|Containerfile)"
                r"|no (?:Containerfile or )?Dockerfile .*(?:found|specified)|Dockerfile\S* (?:not found"
                r"|does not exist)",
                unless=r"invalid subdir",
            ),
        ),
    ),
    FailureClass(
        name="git-auth-failed",
        layer=_GIT,
        kind=VerdictKind.BAD_INPUT,
        meaning="The repository wants credentials and got none, or the wrong ones.",
        remedy="The secret GIT_AUTH_TOKEN or GIT_AUTH_HEADER, or an ssh agent.",
        reference="https://docs.docker.com/build/building/secrets/#git-authentication-for-remote-contexts",
        explains=("git-fetch-failed",),
        rules=(
            Rule(
                pattern=r"could not read (?:Username|Password) for|terminal prompts disabled|Authentication failed for"
                r"|Permission denied \((?:publickey|password|keyboard)|HTTP Basic: Access denied"
                r"|Invalid username or (?:password|token)"
                r"|Support for password authentication was removed|Host key verification failed|authentication required"
                r": (?:Repository|Invalid|Unauthorized)|invalid credentials|remote: (?:Access denied|Unauthorized"
                r"|Invalid)",
                unless=r"failed to pull image|registry",
            ),
            Rule(
                pattern=_BY_GIT
                + r".*(?:returned error: 40[13]|HTTP 40[13]|authentication required|401 Unauthorized|403 Forbidden)",
                unless=r"failed to pull image|/v2/|oauth",
            ),
            Rule(
                pattern=r"make sure you have the correct access rights",
                also=("git-fetch-failed",),
                tier=Tier.CONSEQUENCE,
            ),
        ),
    ),
    FailureClass(
        name="git-submodule-failed",
        layer=_GIT,
        kind=VerdictKind.BAD_INPUT,
        meaning="A submodule's commit or repository cannot be fetched.",
        remedy="Fix the submodule, or push its commit.",
        reference=_CONTEXT,
        explains=("git-fetch-failed", "git-ref-not-found", "git-auth-failed"),
        rules=(
            Rule(
                pattern=r"not our ref|did not contain|clone of .* failed|failed to (?:clone|recurse|fetch)"
                r"|No url found|Unable to (?:checkout|fetch)"
                r"|reference is not a tree|does not (?:exist|point)",
                near=_SUBMODULE,
            ),
        ),
    ),
    FailureClass(
        name="git-ref-not-found",
        layer=_GIT,
        kind=VerdictKind.BAD_INPUT,
        meaning="The branch, tag or commit is not in the repository (short commit ids are not resolved).",
        remedy="Fix the ref; give commits in full.",
        reference=_CONTEXT,
        explains=("git-fetch-failed",),
        rules=(
            Rule(
                pattern=r"could ?n.t find remote ref|Remote branch .* not found|does not contain ref"
                r"|reference is not a tree"
                r"|pathspec .* did not match|not our ref|unknown revision|bad revision|no such (?:remote )?ref\b"
                r"|invalid refspec"
                r"|(?:git|clone|fetch|checkout)\b.*reference not found|fatal: bad object"
                r"|unable to resolve (?:reference|ref)\b",
            ),
        ),
    ),
    FailureClass(
        name="git-benign-probe",
        layer=_GIT,
        kind=VerdictKind.NOISE,
        meaning="BuildKit asks its cache for a commit before it fetches it; git says no, and nothing is wrong.",
        remedy="Nothing.",
        reference="https://github.com/moby/buildkit/issues/4832",
        rules=(Rule(pattern=r"Not a valid object name \S*\^\{commit\}"),),
    ),
    FailureClass(
        name="git-cache-conflict",
        layer=_GIT,
        kind=VerdictKind.INFRASTRUCTURE,
        meaning="Refs in the daemon's cached copy of the repository stand in the way of new ones.",
        remedy="Prune the cache; a fresh emptyDir per run.",
        reference="https://github.com/moby/buildkit/issues/4832",
        explains=("git-fetch-failed",),
        rules=(
            Rule(
                pattern=r"cannot lock ref|local refs could not be updated|unable to update local ref"
                r"|Another git process"
                r"|(?:index|shallow|packed-refs|HEAD|config)\.lock\W.*(?:exists|unable)",
            ),
        ),
    ),
    FailureClass(
        name="git-dns-failed",
        layer=_GIT,
        kind=VerdictKind.INFRASTRUCTURE,
        meaning="The git host's name does not resolve.",
        remedy="Cluster DNS and egress.",
        reference="https://kubernetes.io/docs/tasks/administer-cluster/dns-debugging-resolution/",
        explains=("git-fetch-failed",),
        rules=(
            Rule(pattern=_BY_GIT + rf".*(?:{NO_SUCH_HOST}|unable to look up)", unless=_NOT_CURL),
            Rule(pattern=r"could ?n[o']t resolve host(?:name)?\W", near=_BY_GIT, unless=_NOT_CURL),
        ),
    ),
    FailureClass(
        name="git-tls-failed",
        layer=_GIT,
        kind=VerdictKind.NODE_PREREQUISITE,
        meaning="git in the daemon does not trust the git host's certificate.",
        remedy="Mount the CA into the daemon's container.",
        reference=_CONTEXT,
        explains=("git-fetch-failed",),
        rules=(
            Rule(
                pattern=r"unable to access .*(?:SSL|TLS|certificate)|SSL certificate problem"
                r"|server certificate verification failed"
                r"|"
                + _BY_GIT
                + r".*(?:x509:|certificate (?:verify|signed|is not trusted)|self[- ]signed|gnutls_handshake|SSL_ERROR"
                r"|SSL routines)",
                unless=_NOT_CURL + r"|/v2/",
            ),
        ),
    ),
    FailureClass(
        name="git-conn-refused",
        layer=_GIT,
        kind=VerdictKind.INFRASTRUCTURE,
        meaning="The git host refuses the connection or does not answer.",
        remedy="Check the service, its port and network policies.",
        reference=_CONTEXT,
        explains=("git-fetch-failed",),
        rules=(
            Rule(
                pattern=r"errno=(?:Connection|No route|Network)|unable to connect to \S+:\s"
                r"|ssh: connect to host .* port \d+"
                r"|" + _BY_GIT + r".*(?:Connection refused|Connection timed out|Couldn't connect|Failed to connect"
                r"|connect: connection|"
                r"No route to host|Connection reset|i/o timeout|Operation timed out|Network is unreachable)",
                unless=_NOT_CURL + r"|/v2/",
            ),
        ),
    ),
    FailureClass(
        name="git-unshare-eperm",
        layer=_GIT,
        kind=VerdictKind.UNSUPPORTED,
        meaning="BuildKit cannot start git: its unshare(CLONE_FS) is refused by seccomp. It is no login that failed.",
        remedy="seccomp unset or Unconfined, or a Localhost profile that allows unshare.",
        reference="https://github.com/moby/buildkit/blob/master/source/git/source_linux.go",
        explains=("git-fetch-failed",),
        rules=(
            Rule(
                pattern=r"git (?:error|stderr)\W*(?:stderr\W*)?operation not permitted"
                r"|fork/exec \S*git: operation not permitted"
                r"|git source .*operation not permitted|operation not permitted .*git source",
            ),
        ),
    ),
    FailureClass(
        name="git-fetch-failed",
        layer=_GIT,
        kind=VerdictKind.SYMPTOM,
        meaning="git failed; an exit status alone does not say why.",
        remedy="Keep the output of --progress=plain: the cause stands on an earlier line.",
        reference=_CONTEXT,
        rules=(
            Rule(
                pattern=r"failed to fetch remote|error fetching default branch|git\b.*exit status 128"
                r"|fatal: repository '[^'\n]*' not found"
                r"|repository not exported|remote: Repository not found|fatal: Could not read from remote repository"
                r"|load git source .*ERROR"
                r"|exit (?:status|code) 128|fatal: remote error|fatal: The remote end hung up|early EOF"
                r"|RPC failed; curl",
                also=("git-auth-failed", "git-ref-not-found", "git-tls-failed", "git-dns-failed"),
                tier=Tier.CONSEQUENCE,
            ),
        ),
    ),
)
