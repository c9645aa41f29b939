#!/bin/sh
# Runs one buildctl command against a daemon that lives only as long: `buildctl-daemonless.sh build ...`.
#
#   BUILDCTL, BUILDKITD          the programs
#   BUILDKITD_FLAGS              more words for the daemon
#   ROOTLESSKIT                  what starts the daemon when the user is not root
#   BUILDCTL_CONNECT_RETRIES_MAX how often the daemon is asked, a second apart, before it is given up (10)
#
# Ends as buildctl does. The daemon's log is shown when the daemon does not come up.
set -eu

: "${BUILDCTL:=buildctl}" "${BUILDKITD:=buildkitd}" "${BUILDKITD_FLAGS:=}" "${ROOTLESSKIT:=rootlesskit}"
: "${BUILDCTL_CONNECT_RETRIES_MAX:=10}"

own=$(mktemp -d)
if [ "$(id -u)" -eq 0 ]; then
	starter=
	socket=unix:///run/buildkit/buildkitd.sock
else
	starter=$ROOTLESSKIT
	socket=unix://${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/buildkit/buildkitd.sock
fi

# The flags are words, and there may be no starter: both are split on purpose.
# shellcheck disable=SC2086
$starter "$BUILDKITD" $BUILDKITD_FLAGS --addr="$socket" >"$own/log" 2>&1 &
daemon=$!

finish() {
	code=$?
	trap - EXIT
	kill "$daemon" 2>/dev/null || true
	wait "$daemon" 2>/dev/null || true
	rm -rf "$own"
	exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

tries=0
until "$BUILDCTL" --addr="$socket" debug workers >/dev/null 2>&1; do
	tries=$((tries + 1))
	if [ "$tries" -gt "$BUILDCTL_CONNECT_RETRIES_MAX" ] || ! kill -0 "$daemon" 2>/dev/null; then
		echo "buildctl-daemonless.sh: no buildkitd at $socket after $tries tries; its log:" >&2
		cat "$own/log" >&2
		exit 1
	fi
	sleep 1
done
"$BUILDCTL" --addr="$socket" "$@"
