#!/bin/sh
# Signals every process whose name matches: `pkill [-SIGNAL] PATTERN`. Ends with 0 when one was signalled, else with 1.
signal=-TERM
case ${1-} in -*)
	signal=$1
	shift
	;;
esac
if [ $# -ne 1 ]; then
	echo "usage: pkill [-SIGNAL] PATTERN" >&2
	exit 2
fi
found=1
for process in /proc/[0-9]*; do
	id=${process#/proc/}
	if [ "$id" = "$$" ] || ! grep -q -e "$1" "$process/comm" 2>/dev/null; then continue; fi
	if kill "$signal" "$id"; then found=0; fi
done
exit "$found"
