# SPDX-License-Identifier: Apache-2.0
# Every target sets up what it needs first, in .venv and (as root) with Debian packages. Nothing else is to be done.
.DEFAULT_GOAL := help
.PHONY: demo test check bench interop soak fix clean help

help:
	@echo "make demo     two hosts agree on a contract, in front of your eyes (half a minute)"
	@echo "make test     all tests: style, types, units, protocol, namespaces, real peers"
	@echo "make check    those that need no root and no peers (two minutes)"
	@echo "make interop  every combination with the real peers"
	@echo "make soak     the long runs"
	@echo "make bench    how fast the packet path and the key exchange are"
	@echo "make clean    remove what these made"

demo:
	@scripts/setup
	@.venv/bin/ringfence demo $(ARGS)

test:
	@scripts/setup test
	@scripts/test $(ARGS)

check:
	@scripts/setup check
	@scripts/check $(ARGS)

fix:
	@scripts/setup check
	@scripts/check --fix

interop:
	@RINGFENCE_FULL=1 scripts/setup test
	@scripts/test --full $(ARGS)

soak:
	@scripts/setup test
	@scripts/test --soak $(ARGS)

bench:
	@scripts/setup test
	@.venv/bin/python bench/datapath.py $(ARGS)
	@.venv/bin/python bench/ike.py
	@.venv/bin/python bench/exchanges.py
	@.venv/bin/python bench/flood.py
	@.venv/bin/python bench/policy.py
	@.venv/bin/python bench/tunnel.py

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage htmlcov build dist demo-output
	find . -name __pycache__ -prune -exec rm -rf {} +
