# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever people write into a variable is carried over literally, or refused before anything is changed."""

from __future__ import annotations

import configparser
import shlex

import pytest

from ansible_collections.webinfra.stack.plugins.plugin_utils.written_values import (
    FORMS,
    check_host_names,
    check_written,
)

BREAKS_A_LINE = [
    *("a\nb", "a\r\nb", "a\rb", "\n", "a\x0bb", "a\x0cb", "a\x1bb", "a\x7fb", "a\x85b", "a\u2028b", "a\u2029b"),
]
ENDS_A_WORD = ["a b", "a\tb", " a", "a ", "a;b", "a#b", "a{b", "a}b", "a{ b }", "a; return 200;", "a } location / {"]
QUOTES = [
    *("a'b", 'a"b', "a`b", "'", '"', "''", '""', "a'; DROP TABLE users; --", 'a" b="c'),
    *("\\", "a\\", "a\\'b", 'a\\"b', "a\\nb"),
]
EXPANDS = [
    *("$(id)", "`id`", "${PATH}", "$PATH", "%h", "%(name)s", "%%", "%[src]"),
    *("{{ 7 * 7 }}", "{% raw %}", "{# a #}", "~root"),
]
TRAVELS = [
    "../../etc/passwd",
    "/",
    "//",
    "..",
    ".",
    "-rf",
    "--help",
    "a/../b",
    "file:///etc/passwd",
    "javascript:alert(1)",
]
FOREIGN = [
    *("\u00fc", "\u65e5\u672c\u8a9e", "\U0001f600", "a\u200bb", "\u202eabc"),
    *("a" * 10_000, "<script>alert(1)</script>", "NULL"),
]
NOTHING = ["\x00", "a\x00b"]
HOSTILE = [*BREAKS_A_LINE, *ENDS_A_WORD, *QUOTES, *EXPANDS, *TRAVELS, *FOREIGN, *NOTHING]
FOR_NO_WORD = [*BREAKS_A_LINE, *QUOTES, *NOTHING, "a b", "a\tb", "$(id)", "\u65e5\u672c\u8a9e"]

LINES = {"load_balancer_health_body", "webinfra_app.command", "monitoring_mail.smarthost"}
LABELS = {"webinfra_extra_flows.name", "webinfra_outgoing_services.name"}
TEXTS = {
    "load_balancer_unavailable_page",
    "webinfra_app.build",
    "webinfra_app.environment.*",
    "webinfra_app.migrate_command",
}
WORDS = FORMS.keys() - LINES - LABELS - TEXTS


def refused(path, text):
    """Return what is said of the text where the path leads."""
    variable, *keys = path.split(".")
    value = {text: "value"} if path == "webinfra_app.environment" else text
    for key in reversed(keys):
        value = {"NAME" if key == "*" else key: value}
    return check_written(variable, value)


def test_there_are_sixty_hostile_values_and_none_is_there_twice():
    assert len(HOSTILE) >= 60
    assert len(HOSTILE) == len(set(HOSTILE))


@pytest.mark.parametrize("text", FOR_NO_WORD)
@pytest.mark.parametrize("path", sorted(WORDS))
def test_a_word_has_nothing_that_a_configuration_has_words_for(path, text):
    assert refused(path, text) is not None


@pytest.mark.parametrize("path", sorted(WORDS))
def test_a_word_that_is_let_through_is_read_as_what_it_is(path):
    for text in HOSTILE:
        if refused(path, text) is None:
            parser = configparser.ConfigParser(interpolation=None)
            parser.read_string(f"[section]\nname = {text}\n")
            assert (shlex.split(text), parser["section"]["name"]) == ([text], text)


@pytest.mark.parametrize("path", sorted(FORMS.keys() - TEXTS))
def test_what_stands_on_a_line_does_not_break_it(path):
    assert [text for text in BREAKS_A_LINE if refused(path, text) is None] == []


@pytest.mark.parametrize("path", sorted(FORMS))
def test_nothing_has_a_character_that_ends_strings(path):
    assert [text for text in NOTHING if refused(path, text) is None] == []


@pytest.mark.parametrize("path", sorted(WORDS))
def test_a_value_that_is_too_long_is_told_shortly(path):
    finding = refused(path, "\u00fc" * 10_000)
    assert finding is not None
    assert len(finding.what) < 300


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("load_balancer_health_path", "/healthz?full=1&of=db"),
        ("load_balancer_health_body", """it's "ready"; {ok} $(x) %h"""),
        ("load_balancer_trusted_proxies", "2001:db8::/32"),
        ("load_balancer_unavailable_page", "<p>\nBack\tsoon: 'a' \"b\" \u00fc</p>"),
        ("monitoring_mail.to", "ops+night@example.com"),
        ("monitoring_webhooks.url", "https://chat.example.com/hooks/1?a=b&c=d%20e"),
        ("webinfra_app.command", """/usr/bin/gunicorn --bind "${APP_BIND}" 'wiki:app'"""),
        ("webinfra_app.environment", "WIKI_THEME"),
        ("webinfra_app.environment.*", "a\nb 'c' \"d\" $(e) {{ f }} %g \\ \u00fc"),
        ("webinfra_app.migrate_command", "set -e\n./migrate --all"),
        ("webinfra_app.name", "guest_book"),
        ("webinfra_app.packages", "libapache2-mod-php8.4=8.4.16-1~deb13u1"),
        ("webinfra_extra_flows.name", "backup, at night"),
        ("webinfra_public_url", "https://www.example.com:8443/shop"),
        ("webinfra_operator_password", "x{Y}~(1)!<=>?"),
    ],
)
def test_what_people_need_is_let_through(path, text):
    assert refused(path, text) is None


@pytest.mark.parametrize("text", ["a\x1b[0m", "a\r\nb", "a\x0cb", "\x7f"])
def test_what_systemd_would_silently_leave_out_of_an_environment_is_refused(text):
    assert refused("webinfra_app.environment.*", text) is not None


def test_a_list_and_a_list_of_dictionaries_are_looked_at_one_by_one():
    finding = check_written("load_balancer_trusted_proxies", ["10.0.0.0/8", "10.0.0.1; deny all"])
    assert finding.what == "load_balancer_trusted_proxies: '10.0.0.1; deny all' is not an IP address or a network"
    flows = [{"name": "fine"}, {"name": "o'clock"}]
    assert '"o\'clock" is not one line' in check_written("webinfra_extra_flows", flows).what


def test_an_address_has_no_interface_behind_it():
    assert refused("load_balancer_trusted_proxies", "fe80::1%eth0; deny all") is not None


def test_a_password_that_cannot_be_written_is_not_shown():
    finding = check_written("webinfra_operator_password", 'top"secret')
    assert "secret" not in finding.what
    assert "its value is not made of" in finding.what


@pytest.mark.parametrize("value", [None, "", [], {}, 7, ["name"], {"other": 1}])
def test_what_has_another_shape_is_told_elsewhere(value):
    assert check_written("webinfra_extra_flows", value) is None


@pytest.mark.parametrize("name", ["web 1", "web;1", "web\n1", "w\u00e9b", "-rf", "", "a" * 300])
def test_a_host_has_a_name_that_can_be_written(name):
    assert [finding.where for finding in check_host_names([name, "web2"])] == ["inventory"]


def test_usual_names_of_hosts_are_let_through():
    assert check_host_names(["web1", "web-1.example.com", "10.0.0.1", "_odd_1"]) == []
