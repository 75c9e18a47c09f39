#!/bin/sh
# Licences, bans, sources and unused dependencies. Installs the two tools once; needs no database from the network.
set -eu
command -v cargo-deny >/dev/null 2>&1 || cargo install --locked cargo-deny
command -v cargo-machete >/dev/null 2>&1 || cargo install --locked cargo-machete
cargo deny check licenses bans sources
cargo machete
