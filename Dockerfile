# syntax=docker/dockerfile:1.7
# One image with the three programs; what runs is the command. Built from the lock file, run by nobody in particular.
FROM rust:1.95.0-bookworm AS build
WORKDIR /src
COPY . .
# The caches outlive the build, so a changed line does not build librdkafka again; therefore the programs are copied out.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --profile dist --locked --workspace --bins \
    && install -D --mode=755 --target-directory=/out target/dist/instashop target/dist/instashop-tui \
       target/dist/instashop-dev

FROM debian:bookworm-slim
# librdkafka speaks OpenSSL and zlib; everything else is inside the programs.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libssl3 zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin instashop
COPY --from=build /out/ /usr/local/bin/
COPY debezium-config /usr/share/instashop/debezium-config
ENV INSTASHOP__CONNECT__CONFIG_DIR=/usr/share/instashop/debezium-config
USER 10001:10001
WORKDIR /tmp
CMD ["instashop", "--help"]
