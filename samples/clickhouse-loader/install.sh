#!/bin/sh
# Installs the server that the test needs, on Debian. Without it the test is skipped.
set -e
apt-get install -y --no-install-recommends clickhouse-server
