"""The post-renderer: rendered objects on standard input, the changed ones on standard output."""

from __future__ import annotations

import sys

import yaml
from pydantic import ValidationError

from conformance.chart.radius.orders import Orders
from conformance.chart.radius.patch import patch
from conformance.errors import UsageError


def main(arguments: list[str], text: str) -> str:
    """Return the objects, changed as the one argument orders. Raises UsageError."""
    try:
        (said,) = arguments
        orders = Orders.model_validate_json(said)
    except (ValidationError, ValueError) as error:
        raise UsageError(
            f"the orders are one argument, JSON, as the chart adapter `radius` writes it: {error}"
        ) from error
    try:
        objects = [each for each in yaml.safe_load_all(text) if each]
    except yaml.YAMLError as error:
        raise UsageError(f"what helm rendered is no YAML: {error}") from error
    return yaml.safe_dump_all(patch(objects, orders), sort_keys=False)


if __name__ == "__main__":
    try:
        sys.stdout.write(main(sys.argv[1:], sys.stdin.read()))
    except UsageError as error:
        sys.stderr.write(f"conformance.chart.radius: {error}\n")
        sys.exit(3)
