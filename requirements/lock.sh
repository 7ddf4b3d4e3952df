#!/bin/sh
# Writes the locks anew: exact versions of everything that pyproject.toml asks for, and nothing about where they came from.
set -eu
python=${1:-python3}
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

freeze() { # name, header, what to install ...
	name=$1 header=$2
	shift 2
	"$python" -m venv "$work/$name"
	"$work/$name/bin/python" -m pip --disable-pip-version-check -q install --upgrade pip
	"$work/$name/bin/python" -m pip -q install hatchling editables "$@"
	{
		echo "# $header"
		"$work/$name/bin/python" -m pip freeze --exclude sentiment-monitor --exclude-editable |
			sed "s/^pycld2==.*/& ; platform_system != 'Linux' or platform_machine != 'aarch64'/" # as in pyproject.toml
	} >"requirements/$name.lock"
}

freeze run "What the program runs on, and what installs it. Made by: make lock" .
freeze dev "What the tests and checks need beside it. Made by: make lock" -c requirements/run.lock '.[postgres]' --group dev
