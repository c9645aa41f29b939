"""Radius' chart (https://github.com/radius-project/radius, `deploy/Chart`): its dynamic-rp pod with another builder.

The chart has values for the builder's image alone. All else is said by a post-renderer, the program that
`python -m conformance.chart.radius` is: it reads the rendered objects and writes them changed.
"""

from conformance.chart.radius.adapter import Radius

__all__ = ["Radius"]
