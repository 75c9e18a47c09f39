# Each target is one line that calls cargo or a program of this repository; logic belongs in Rust.
# `make demo DEMO=docker` uses docker compose instead of private processes.

DEMO ?= local
# The demo runs optimised programs; tests use the development profile.
BUILD = cargo build --release --workspace --bins
DEV = target/release/instashop-dev

.PHONY: demo stop clean-demo test test-fast test-stack test-system faults fmt lint tidy screens pictures audit prerequisites

demo: demo-$(DEMO)
stop: stop-$(DEMO)
clean-demo: clean-demo-$(DEMO)

.PHONY: demo-local stop-local clean-demo-local demo-docker stop-docker clean-demo-docker
demo-local: prerequisites
	$(BUILD)
	$(DEV) demo up
stop-local:
	@if [ -x $(DEV) ]; then $(DEV) demo stop; else echo "nothing was built, so nothing runs"; fi
clean-demo-local:
	@if [ -x $(DEV) ]; then $(DEV) demo clean; else echo "nothing was built, so nothing runs"; fi

demo-docker:
	scripts/compose-env.sh
	docker compose up --build --detach --wait
	docker compose run --rm dashboard
stop-docker:
	docker compose stop
clean-demo-docker:
	docker compose down --volumes

test: prerequisites
	cargo run --quiet -p instashop-dev -- test
test-fast:
	cargo run --quiet -p instashop-dev -- test --fast
test-system: prerequisites
	cargo run --quiet -p instashop-dev -- test --system
test-stack: prerequisites
	cargo run --quiet -p instashop-dev -- test --stack
# The whole fault matrix on real servers, about half an hour; `make faults ARGS=--quick` is the part that `make test` plays.
faults: prerequisites
	$(BUILD)
	$(DEV) faults $(ARGS)

fmt:
	cargo fmt --all
lint:
	cargo clippy --workspace --all-targets -- -D warnings
tidy:
	cargo run --quiet -p instashop-dev -- tidy
screens:
	INSTA_UPDATE=always cargo test --workspace --quiet
	git diff --stat -- '*.snap'
pictures:
	cargo run --quiet -p instashop-tui -- pictures docs/pictures
audit:
	scripts/audit.sh
prerequisites:
	@scripts/prerequisites.sh
