#!/bin/sh
# What must be there before cargo can build: a Rust toolchain, a C compiler and the headers librdkafka is built with.
# Everything else (PostgreSQL, Redis, Java, Maven) is looked after by `instashop-dev stack up`.
# Installs what is missing where it may (root or sudo without a password, on Debian and Ubuntu); otherwise says in one
# message what to run.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

if ! command -v cargo >/dev/null 2>&1; then
    echo "error: no Rust toolchain found. Install one from https://rustup.rs, open a new shell and try again." >&2
    exit 1
fi

missing=
need() { missing="$missing $1"; }
command -v cc >/dev/null 2>&1 && command -v c++ >/dev/null 2>&1 && command -v make >/dev/null 2>&1 || need build-essential
command -v pkg-config >/dev/null 2>&1 || need 'pkg-config|pkgconf'
if command -v pkg-config >/dev/null 2>&1; then
    pkg-config --exists openssl || need libssl-dev
    pkg-config --exists zlib || need zlib1g-dev
else
    need libssl-dev
    need zlib1g-dev
fi
command -v perl >/dev/null 2>&1 || need perl

[ -z "$missing" ] && exit 0
manual="apt-get install$(echo "$missing" | sed 's/|[^ ]*//g')"
if ! command -v apt-get >/dev/null 2>&1; then
    echo "error: these are missing:$missing. Install them with this system's package manager and try again." >&2
    exit 1
fi
echo "installing$(echo "$missing" | sed "s/|[^ ]*//g")" >&2
# shellcheck disable=SC2086  # a list of words is meant
if [ "$(id -u)" = 0 ]; then
    "$here/install-packages.sh" $missing
elif sudo -n true 2>/dev/null; then
    sudo -n "$here/install-packages.sh" $missing
else
    echo "error: packages are missing and need root. Run: sudo $manual" >&2
    exit 1
fi
