# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from guest_book.settings import Address, SettingsError, settings_from

ENVIRONMENT = {
    "APP_SERVER": "web1",
    "APP_RELEASE": "61bf0e2d94c7",
    "DATABASE_NAME": "guest_book",
    "DATABASE_USER": "guest_book",
    "DATABASE_PASSWORD": "s3cret",
    "DATABASE_CA_FILE": "/etc/guest_book/database-ca.pem",
}


def test_the_endpoints_default_to_the_router_on_this_host():
    settings = settings_from(ENVIRONMENT)
    assert settings.write_endpoint == Address(host="127.0.0.1", port=3306)
    assert settings.read_endpoint == Address(host="127.0.0.1", port=3307)


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_what_is_missing_is_named(name):
    with pytest.raises(SettingsError, match=f"{name} is missing or empty"):
        settings_from({**ENVIRONMENT, name: ""})


@pytest.mark.parametrize("text", ["db1", ":3306", "db1:", "db1:x", "db1:0", "db1:65536", "db1:²"])
def test_an_endpoint_must_be_an_address(text):
    with pytest.raises(SettingsError, match=r"DATABASE_READ_ENDPOINT must be host:port"):
        settings_from({**ENVIRONMENT, "DATABASE_READ_ENDPOINT": text})


def test_the_password_is_not_in_what_settings_print():
    assert "s3cret" not in repr(settings_from(ENVIRONMENT))
