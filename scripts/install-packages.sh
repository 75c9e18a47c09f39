#!/bin/sh
# Installs Debian or Ubuntu packages, needs root. Each argument is one need; `a|b` means the first of them that this
# release has. The services that packages bring are neither started nor enabled: the local stack runs private ones on
# its own ports, and a packaged PostgreSQL on 5432 or Redis on 6379 would only be in somebody's way.
set -eu
export DEBIAN_FRONTEND=noninteractive

has() { apt-cache policy "$1" 2>/dev/null | grep -q 'Candidate: [^(]'; }
installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
first_of() {
    for name in $(echo "$1" | tr '|' ' '); do
        if has "$name"; then echo "$name"; return; fi
    done
    return 1
}

apt-get update -qq
packages=
for need in "$@"; do
    if ! name=$(first_of "$need"); then
        echo "this release has no package for: $need" >&2
        exit 3
    fi
    packages="$packages $name"
done

services=
installed redis-server || services="$services redis-server.service"
installed postgresql-common || services="$services postgresql.service"

policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi
# shellcheck disable=SC2086  # a list of words is meant
apt-get install -y -qq --no-install-recommends $packages >&2
if [ -d /run/systemd/system ]; then
    for service in $services; do
        systemctl disable --quiet "$service" 2>/dev/null || true
    done
fi
