#!/bin/sh
# Runs the commands of the README's tutorial, as they stand there, and stops at the first that is not answered
# with the status that the README states. PROXY and ADMIN say where Latchkey is when it is elsewhere.
set -eu
cd "$(dirname "$0")/../.."
proxy=${PROXY:-localhost:8000}
admin=${ADMIN:-localhost:8001}
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

fail() {
  echo "tutorial: $1" >&2
  cat "$answer" >&2
  exit 1
}

# The status that a command of the tutorial is answered with.
run() {
  id=
  case $1 in
  *'<id>'*)
    id=$(curl -sS "http://$admin/routes/mocking/plugins/" | grep -o '"id":"[^"]*"' | head -n 1 | cut -d '"' -f 4)
    ;;
  esac
  flags="curl -sS -o '$answer' -w '%{http_code}'"
  eval "$(echo "$1" | sed -e "s|^curl -i|$flags|" -e "s|localhost:8000|$proxy|" -e "s|localhost:8001|$admin|" -e "s|<id>|$id|")"
}

steps=0
while IFS='	' read -r expected afterwards command; do
  status=$(run "$command")
  echo "$status  $command"
  [ "$status" = "$expected" ] || fail "expected $expected"
  case $afterwards in
  open) after=200 ;;
  closed) after=401 ;;
  *) after= ;;
  esac
  if [ -n "$after" ]; then
    status=$(curl -sS -o "$answer" -w '%{http_code}' "http://$proxy/mock")
    [ "$status" = "$after" ] || fail "without a key the route then answers $status, not $after"
  fi
  steps=$((steps + 1))
done <<EOF
$(awk '/^ *```sh tutorial=/ {
  afterwards = match($0, /then-[a-z]+/) ? substr($0, RSTART + 5, RLENGTH - 5) : "-"
  sub(/.*tutorial=/, ""); status = $1
  getline; sub(/^ +/, "")
  print status "\t" afterwards "\t" $0
}' README.md)
EOF
[ "$steps" -gt 0 ] || fail 'the README has no steps'
echo "tutorial: $steps steps, all answered as the README says"
