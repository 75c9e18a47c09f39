# Each target is one line that calls cargo or a binary of this repository; logic belongs in Rust.
.PHONY: test
test:
	cargo fmt --all --check
	cargo test --workspace
