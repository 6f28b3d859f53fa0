# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import html.parser
import re

import pytest

from ansible_collections.webinfra.stack.plugins.plugin_utils.stack_tree import tree_lines
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.narrow import narrow_drawing
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.shapes import NODE_HEIGHT, fitted, text_width
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.style import DARK, LIGHT, READ_ON
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.tree import remark_lines, tiers_of
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.views import files_of
from ansible_collections.webinfra.stack.plugins.plugin_utils.status.wide import wide_drawing
from ansible_collections.webinfra.stack.tests.status_samples import LONG, Sample

SCRIPT = "<script>alert(1)</script>"
SIZES = {
    "one": Sample(servers=1, databases=1),
    "three": Sample(servers=3, databases=2),
    "twelve": Sample(balancers=2, servers=12, databases=3, shared=True, certificate_days=64, name=LONG),
    "none left": Sample().stop("lb1", "web1", "web2", "db1", "db2"),
}
every_size = pytest.mark.parametrize("sample", SIZES.values(), ids=SIZES)


class Page(html.parser.HTMLParser):
    """Counts the elements of a page, and keeps their attributes."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs


def tree(stack):
    return tree_lines(stack.url, tiers_of(stack), colour=False)


def test_there_are_four_files():
    assert files_of(Sample().stack()).keys() == {"status.html", "status.md", "status.json", "status.prom"}


@every_size
def test_the_page_asks_nobody_for_anything(sample):
    page = Page(files_of(sample.stack())["status.html"])
    assert not {"script", "link", "img", "iframe", "object", "use", "image"} & set(page.tags)
    assert not [name for name, _value in page.attributes if name in {"src", "href", "xlink:href"} or name[:2] == "on"]


@every_size
def test_both_pictures_have_a_title_and_a_description(sample):
    text = files_of(sample.stack())["status.html"]
    for name in ("wide", "narrow"):
        assert f'aria-labelledby="{name}-title {name}-description"' in text
        assert f'<title id="{name}-title">' in text
        assert f'<desc id="{name}-description">' in text


@pytest.mark.parametrize("view", ["status.html", "status.md"])
def test_no_name_and_no_reason_becomes_markup(view):
    sample = Sample(name=SCRIPT + "{}").find("lag", f"{SCRIPT}db2", SCRIPT)
    text = files_of(sample.stack())[view]
    assert "<script" not in text
    assert "&lt;script" in text or "#60;script" in text


def test_no_name_ends_a_label_of_the_metrics():
    text = files_of(Sample(name='a"b\\{}').stack())["status.prom"]
    assert r'host="a\"b\\web1"' in text


@every_size
def test_the_metrics_are_lines_of_the_text_format(sample):
    line = re.compile(r'webinfra_status_[a-z_]+(\{([a-z]+="[^"]*",?)+\})? -?[0-9.e+]+')
    lines = files_of(sample.stack())["status.prom"].splitlines()
    assert [each for each in lines if not each.startswith("# ") and not line.fullmatch(each)] == []


def test_the_metrics_tell_what_is_broken():
    text = files_of(Sample().stop("db1").stack())["status.prom"]
    assert "webinfra_status_level 2\n" in text
    assert 'webinfra_status_host_reachable{host="db1"} 0\n' in text
    assert 'webinfra_status_finding_info{name="no_primary",level="critical",host="db1"} 1\n' in text


def test_the_graph_has_every_host_and_the_shares():
    text = files_of(Sample().stack())["status.md"]
    assert 'host1["web1<br/>answers"]' in text
    assert 'host0 -->|"75 %"| host1' in text
    assert 'host3 ==>|"lag 0.0 s, gap 0"| host4' in text


def test_the_tree_shows_verdict_share_and_lag():
    shown = tree(Sample().stack())
    assert "│  ├─ ● web1  10.20.0.21  answers, weight 3, 75 % of requests, release 1b9e0f3c44d2" in shown
    assert "   └─ ● db2   10.20.0.32  follows the primary, lag 0.0 s, gap 0" in shown
    assert "├─ load balancers, haproxy (single point of failure: lb1)" in shown


def test_the_tree_is_followed_by_what_is_wrong_and_what_to_do():
    said = remark_lines(Sample().drain("web1").stack(), colour=False)
    assert said[0].startswith("It works, and not as it should: web1: it was taken out of the pool")
    assert "What to do: run webinfra.stack.ready -e host=web1" in said[1]


def test_what_a_host_says_does_not_reach_the_terminal_as_an_order():
    said = remark_lines(Sample().find("lag", "db2", "late\033[2J\nlate").stack(), colour=False)
    assert all(line.isprintable() for line in said)


def test_a_replica_of_a_replica_is_led_around_the_boxes():
    sample = Sample(databases=3)
    sample.replication["servers"]["db3"]["source"] = {"host": sample.addresses["db2"]}
    drawing = wide_drawing(sample.stack())
    (line,) = [line for line in drawing.lines if line.whole.startswith("db2 to db3")]
    right = max(box.right for box in drawing.boxes)
    assert f"C{right + 44:g}" in line.path.replace(".0 ", " ")
    assert drawing.width > right + 40


def test_a_replica_of_a_stranger_has_no_line():
    sample = Sample()
    sample.replication["servers"]["db2"]["source"] = {"host": "192.0.2.1"}
    stack = sample.stack()
    assert [line for line in wide_drawing(stack).lines if "192.0.2.1" in line.whole] == []
    assert stack.link_of("db2").source == "192.0.2.1"


def overlapping(boxes):
    return [
        (one.title, other.title)
        for number, one in enumerate(boxes)
        for other in boxes[number + 1 :]
        if one.x < other.right and other.x < one.right and abs(one.y - other.y) < NODE_HEIGHT
    ]


@every_size
@pytest.mark.parametrize("draw", [wide_drawing, narrow_drawing])
def test_no_box_is_over_another_one_or_outside_the_picture(sample, draw):
    drawing = draw(sample.stack())
    assert overlapping(drawing.boxes) == []
    assert all(box.x >= 0 and box.right <= drawing.width for box in drawing.boxes)
    assert all(box.y >= 0 and box.y + NODE_HEIGHT <= drawing.height for box in drawing.boxes)


def test_edges_are_as_thick_as_their_share():
    lines = [line for line in wide_drawing(Sample().stack()).lines if line.whole.startswith("lb1 to")]
    assert [line.width for line in lines] == [12, 4]


def test_a_long_name_keeps_both_its_ends():
    short = fitted("web1-production-eu-central-1a", 100, 13.5)
    assert text_width(short, 13.5) <= 100
    assert (short[:4], short[-2:], "…" in short) == ("web1", "1a", True)


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), [(ink, ground) for ink, grounds in READ_ON.items() for ground in grounds])
def test_every_text_can_be_read(palette, ink, ground):
    """Rule: WCAG 2.2, success criterion 1.4.3, level AA."""
    assert contrast(palette[ink], palette[ground]) >= 4.5


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("line", ["flow", "quiet", "critical", "well", "warning"])
def test_every_line_and_sign_can_be_seen(palette, line):
    """Rule: WCAG 2.2, success criterion 1.4.11, level AA."""
    assert contrast(palette[line], palette["surface"]) >= 3
