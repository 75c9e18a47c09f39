#!/bin/sh
# Makes .env for docker compose out of .env.example, with a random password wherever one is empty. An .env that exists
# is kept as it is: its passwords are those of the volumes.
set -eu
cd "$(dirname "$0")/.."
[ -e .env ] && exit 0
umask 077
while IFS= read -r line; do
    case $line in
    *_PASSWORD=) printf '%s%s\n' "$line" "$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')" ;;
    *) printf '%s\n' "$line" ;;
    esac
done <.env.example >.env.new
mv .env.new .env
echo "made .env with random passwords" >&2
