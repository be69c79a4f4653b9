"""Small line charts as SVG, on two logarithmic axes; readable on light and dark pages."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor, log10
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_WIDTH, _HEIGHT = 360, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 16, 44, 62
_SPREAD: Final = 0.08
"""Room between the outermost points and the frame, as a share of an axis."""
_STYLE: Final = """\
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.small { font-size: 11px }
.title { font-weight: 600 }
.grid { stroke: #d1d9e0; stroke-width: 1 }
.line { fill: none; stroke-width: 2 }
.guide { fill: none; stroke: #818b98; stroke-width: 1.5; stroke-dasharray: 4 4 }
.s0 { stroke: #0969da } .s1 { stroke: #bc4c00 } .s2 { stroke: #8250df }
.d0 { fill: #0969da } .d1 { fill: #bc4c00 } .d2 { fill: #8250df }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc }
  .grid { stroke: #3d444d }
  .guide { stroke: #9198a1 }
  .s0 { stroke: #4493f8 } .s1 { stroke: #f0883e } .s2 { stroke: #ab7df8 }
  .d0 { fill: #4493f8 } .d1 { fill: #f0883e } .d2 { fill: #ab7df8 }
}
"""


@dataclass(frozen=True, slots=True)
class Series:
    """A line: its name, and its points from left to right."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart. A dashed guide shows how its first series would go on if it grew linearly."""

    title: str
    axis: str
    series: tuple[Series, ...]
    guide: bool = True


def draw(title: str, panels: Sequence[Panel]) -> str:
    """An SVG with panels side by side: the same panels give the same text."""
    width = _WIDTH * len(panels)
    body = "\n".join(
        f'<g transform="translate({_WIDTH * number} 0)">\n{_panel(panel)}\n</g>'
        for number, panel in enumerate(panels)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {_HEIGHT}" '
        f'width="{width}" height="{_HEIGHT}" role="img">\n'
        f"<title>{escape(title)}</title>\n<style>\n{_STYLE}</style>\n{body}\n</svg>\n"
    )


@dataclass(frozen=True, slots=True)
class _Axis:
    """From values to places: logarithmic, from one end of the frame to the other."""

    low: float
    high: float
    start: float
    end: float

    def place(self, value: float) -> float:
        share = (log10(value) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def holds(self, value: float) -> bool:
        return self.low <= log10(value) <= self.high


def _axis(values: Sequence[float], start: float, end: float) -> _Axis:
    low, high = log10(min(values)), log10(max(values))
    if high - low < 0.3:  # a flat line stands in the middle
        low, high = (low + high) / 2 - 0.3, (low + high) / 2 + 0.3
    room = (high - low) * _SPREAD
    return _Axis(low - room, high + room, start, end)


def _panel(panel: Panel) -> str:
    points = [point for series in panel.series for point in series.points]
    guide = _guide(panel)
    across = _axis([x for x, _ in points], _LEFT, _WIDTH - _RIGHT)
    up = _axis([y for _, y in (*points, *guide)], _HEIGHT - _BOTTOM, _TOP)
    parts = [
        f'<text class="title" x="{_LEFT}" y="18">{escape(panel.title)}</text>',
        *_grid(across, up, sorted({x for x, _ in points})),
        f'<text class="small" x="{(_LEFT + _WIDTH - _RIGHT) / 2:.0f}" y="{_HEIGHT - 28}" '
        f'text-anchor="middle">{escape(panel.axis)}</text>',
    ]
    if guide:
        parts.append(_polyline("guide", guide, across, up))
    for number, series in enumerate(panel.series):
        parts.append(_polyline(f"line s{number}", series.points, across, up))
        parts += [
            f'<circle class="d{number}" cx="{across.place(x):.1f}" cy="{up.place(y):.1f}" r="3.5"/>'
            for x, y in series.points
        ]
    return "\n".join([*parts, *_legend(panel, bool(guide))])


def _guide(panel: Panel) -> tuple[tuple[float, float], ...]:
    if not (panel.guide and panel.series and len(panel.series[0].points) > 1):
        return ()
    (x, y), *_, (last, _) = panel.series[0].points
    return (x, y), (last, y * last / x)


def _polyline(kind: str, points: Sequence[tuple[float, float]], across: _Axis, up: _Axis) -> str:
    places = " ".join(f"{across.place(x):.1f},{up.place(y):.1f}" for x, y in points)
    return f'<polyline class="{kind}" points="{places}"/>'


def _grid(across: _Axis, up: _Axis, marks: Sequence[float]) -> Iterator[str]:
    """Lines and labels: at the points' own values across, at round ones upwards."""
    for value in marks:
        x = across.place(value)
        yield f'<path class="grid" d="M{x:.1f} {_TOP}V{_HEIGHT - _BOTTOM}"/>'
        yield (
            f'<text class="small" x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 16}" '
            f'text-anchor="middle">{_short(value)}</text>'
        )
    for value in _round_values(up):
        y = up.place(value)
        yield f'<path class="grid" d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"/>'
        yield (
            f'<text class="small" x="{_LEFT - 6}" y="{y + 4:.1f}" '
            f'text-anchor="end">{_short(value)}</text>'
        )


def _round_values(axis: _Axis) -> list[float]:
    """1, 2, 5, 10, 20 …: as many of them as leave room between their labels."""
    decades = range(floor(axis.low), ceil(axis.high) + 1)
    every = [m * 10.0**d for d in decades for m in (1, 2, 5) if axis.holds(m * 10.0**d)]
    places = [axis.place(value) for value in every]
    if all(abs(b - a) >= 16 for a, b in pairwise(places)):
        return every
    return [10.0**d for d in decades if axis.holds(10.0**d)]


def _legend(panel: Panel, guided: bool) -> Iterator[str]:
    """A row below the axis: what each line means."""
    names = [(f"line s{n}", series.name) for n, series in enumerate(panel.series)]
    x, y = _LEFT, _HEIGHT - 10
    for kind, name in [*names, *([("guide", "linear")] if guided else [])]:
        yield f'<path class="{kind}" d="M{x} {y - 4}h18"/>'
        yield f'<text class="small" x="{x + 23}" y="{y}">{escape(name)}</text>'
        x += 38 + round(6.2 * len(name))


def _short(value: float) -> str:
    """`0.5`, `20`, `10k`, `3M`."""
    for unit, sign in ((1_000_000, "M"), (1_000, "k")):
        if value >= unit:
            return f"{value / unit:.3g}{sign}"
    return f"{value:.3g}"
