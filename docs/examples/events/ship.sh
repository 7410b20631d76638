#!/bin/sh
# Sends a spool of events to Weir: from cron every minute, or from a systemd timer. Needs curl.
#
#   ship.sh /var/spool/weir/events.ndjson
#
# WEIR_URL, WEIR_TOKEN_FILE and, for an authority of your own, WEIR_CA in the environment. WEIR_REOPEN is a command after which the writer has
# let the old file go, e.g. WEIR_REOPEN="nginx -s reopen"; weir.php and its like open the file anew for each line and need none.
#
# A part is removed only once Weir said 200: then it is on its disk. A part keeps its Idempotency-Key, so that sending it again stores nothing
# twice. A part with wrong lines is kept as FILE.refused.*, with the answer beside it.
set -eu
spool=$1
: "${WEIR_URL:?}" "${WEIR_TOKEN_FILE:?}"
umask 077

exec 9>"$spool.lock"
flock -n 9 || exit 0

if [ -s "$spool" ]; then
    mv "$spool" "$spool.taken.$(date +%s).$$"
    if [ -n "${WEIR_REOPEN:-}" ]; then $WEIR_REOPEN; fi
    # Writers that hold the old name for a moment longer are waited for.
    sleep "${WEIR_SETTLE:-1}"
fi
for taken in "$spool".taken.*; do
    [ -e "$taken" ] || continue
    # Parts of a run that was cut short here are made anew: nothing of them was sent yet.
    part="$spool.part.${taken##*.taken.}"
    rm -f "$part".*
    split -l 1000 -a 6 "$taken" "$part."
    rm "$taken"
done

answer=$(mktemp)
trap 'rm -f "$answer"' EXIT
for part in "$spool".part.*; do
    [ -e "$part" ] || continue
    key=$(sha256sum <"$part" | cut -c1-40).$(basename "$part" | tr -cd '0-9a-z' | tail -c 40)
    # The token comes from a file, so that it stands in no list of processes.
    status=$(printf 'header = "Authorization: Bearer %s"\n' "$(cat "$WEIR_TOKEN_FILE")" |
        curl -sS -K - ${WEIR_CA:+--cacert "$WEIR_CA"} --max-time 60 -o "$answer" -w '%{http_code}' \
            -H 'Content-Type: application/x-ndjson' -H "Idempotency-Key: $key" --data-binary "@$part" "$WEIR_URL") || status=000
    case "$status" in
    200 | 422)
        if grep -q '"refused":0[,}]' "$answer"; then
            rm "$part"
        else
            refused="$spool.refused.${part##*.part.}"
            mv "$part" "$refused"
            cp "$answer" "$refused.answer"
            echo "ship.sh: Weir refused lines: see $refused.answer" >&2
        fi
        ;;
    *)
        echo "ship.sh: Weir answered $status; what is left is sent next time" >&2
        exit 1
        ;;
    esac
done
