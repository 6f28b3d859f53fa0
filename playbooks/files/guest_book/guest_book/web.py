# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages and the JSON of the guest book."""

from __future__ import annotations

import datetime as dt
import typing as t
from http import HTTPStatus

from flask import Flask, Response, abort, g, jsonify, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException

from guest_book.book import GuestBook
from guest_book.bookmark import Bookmark
from guest_book.database import QUICK_TIMEOUT, STEP_TIMEOUT, Endpoint
from guest_book.entries import MESSAGE_LENGTH, NAME_LENGTH, DraftError, draft_from, new_client_id
from guest_book.health import HealthCheck
from guest_book.origin import is_foreign
from guest_book.troubles import DatabaseTroubleError

if t.TYPE_CHECKING:
    from guest_book.settings import Settings

Answer: t.TypeAlias = "Response | tuple[t.Any, int]"

BOOKMARK_COOKIE = "written"
BOOKMARK_SECONDS = 60
"""Replicas are not minutes behind; if one is, the cookie's end lets its readers have what it has."""
RETRY_SECONDS = 2
MAXIMUM_BODY = 16 * 1024

STANDING_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


def create_app(settings: Settings) -> Flask:
    """Wire the book to the database endpoints of the settings."""
    quick_writes = Endpoint.at("write", settings.write_endpoint, settings, timeout=QUICK_TIMEOUT)
    quick_reads = Endpoint.at("read", settings.read_endpoint, settings, timeout=QUICK_TIMEOUT)
    book = GuestBook(
        writes=Endpoint.at("write", settings.write_endpoint, settings, timeout=STEP_TIMEOUT),
        reads=Endpoint.at("read", settings.read_endpoint, settings, timeout=STEP_TIMEOUT),
        quick_writes=quick_writes,
    )
    return serve(settings, book, HealthCheck(writes=quick_writes, reads=quick_reads))


def serve(settings: Settings, book: GuestBook, health_check: HealthCheck) -> Flask:
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAXIMUM_BODY
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 300
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    _add_pages(app, settings, book)
    _add_interfaces(app, settings, book, health_check)
    _add_refusals(app)
    _add_headers(app, settings)
    return app


def _add_pages(app: Flask, settings: Settings, book: GuestBook) -> None:
    @app.get("/")
    def show() -> str:
        return _page(settings, book, fields={}, problems={})

    @app.post("/entries")
    def write() -> Answer:
        # Kept for the page that offers to send it again, with an identity that makes that safe.
        g.fields = fields = {"client_id": new_client_id(), **_sent_fields()}
        if is_foreign(
            site=request.headers.get("Sec-Fetch-Site"), origin=request.headers.get("Origin"), host=request.host
        ):
            abort(HTTPStatus.FORBIDDEN, "This form was sent from another site.")
        try:
            writing = book.add(draft_from(fields), web_server=settings.server)
        except DraftError as exc:
            if _wants_json():
                return jsonify(
                    error="The entry is not complete.", problems=exc.problems
                ), HTTPStatus.UNPROCESSABLE_ENTITY
            return _page(settings, book, fields=fields, problems=exc.problems), HTTPStatus.UNPROCESSABLE_ENTITY
        g.write = writing.server
        if _wants_json():
            answer = jsonify(entry=writing.entry.as_result(), created=writing.created, written_to=writing.server)
            answer.status_code = HTTPStatus.CREATED if writing.created else HTTPStatus.OK
        else:
            # See other: reloading the page that follows sends nothing twice.
            answer = t.cast("Response", redirect(url_for("show"), HTTPStatus.SEE_OTHER))
        answer.set_cookie(
            BOOKMARK_COOKIE,
            writing.bookmark.to_cookie(),
            max_age=BOOKMARK_SECONDS,
            httponly=True,
            samesite="Lax",
            secure=request.headers.get("X-Forwarded-Proto") == "https",
        )
        return answer

    @app.get("/entries")
    def entries() -> Response:
        return t.cast("Response", redirect(url_for("show")))


def _page(settings: Settings, book: GuestBook, *, fields: t.Mapping[str, t.Any], problems: dict[str, str]) -> str:
    reading = book.latest(_bookmark())
    g.read, g.write = reading.server, book.writer()
    return render_template(
        "book.html",
        settings=settings,
        reading=reading,
        writer=g.write,
        fields=fields,
        problems=problems,
        client_id=new_client_id(),
        limits={"name": NAME_LENGTH, "message": MESSAGE_LENGTH},
        now=dt.datetime.now(dt.timezone.utc).replace(tzinfo=None),
    )


def _add_interfaces(app: Flask, settings: Settings, book: GuestBook, health_check: HealthCheck) -> None:
    @app.get("/entries.json")
    def entries_json() -> Response:
        reading = book.latest(_bookmark())
        g.read = reading.server
        return jsonify(
            entries=[entry.as_result() for entry in reading.entries], read_from=reading.server, fresh=reading.fresh
        )

    @app.get("/healthz")
    def health() -> Answer:
        examined = health_check.examine()
        g.read, g.write = examined.read, examined.write
        return jsonify(server=settings.server, release=settings.release, **examined.as_result()), (
            HTTPStatus.OK if examined.ready else HTTPStatus.SERVICE_UNAVAILABLE
        )


def _add_refusals(app: Flask) -> None:
    @app.errorhandler(DatabaseTroubleError)
    def database_trouble(trouble: DatabaseTroubleError) -> Answer:
        app.logger.warning("%s %s: %s (%s)", request.method, request.path, trouble, trouble.__cause__)
        g.retry = True
        writing = request.method == "POST"
        title = "Nobody can write just now" if writing else "The book cannot be opened just now"
        return _refusal(HTTPStatus.SERVICE_UNAVAILABLE, title, str(trouble))

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Answer:
        return _refusal(error.code or 500, error.name, error.description or "")


def _refusal(status: int, title: str, reason: str) -> Answer:
    if _wants_json():
        return jsonify(error=title, reason=reason), status
    fields = g.get("fields", {}) if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    return render_template("refusal.html", status=status, title=title, reason=reason, fields=fields), status


def _add_headers(app: Flask, settings: Settings) -> None:
    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.update(STANDING_HEADERS)
        response.headers["X-Served-By"] = settings.server
        response.headers["X-Release"] = settings.release
        for header, server in (("X-Db-Write", g.get("write")), ("X-Db-Read", g.get("read"))):
            if server is not None:
                response.headers[header] = server
        if g.get("retry"):
            response.headers["Retry-After"] = str(RETRY_SECONDS)
        if request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"
        return response


def _bookmark() -> Bookmark | None:
    return Bookmark.from_cookie(request.cookies.get(BOOKMARK_COOKIE))


def _sent_fields() -> dict[str, t.Any]:
    sent = request.get_json() if request.is_json else request.form.to_dict()
    if not isinstance(sent, dict):
        abort(HTTPStatus.BAD_REQUEST, "Send an object with name and message.")
    return sent


def _wants_json() -> bool:
    if request.is_json or request.path.endswith(".json"):
        return True
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"


__all__ = ("create_app", "serve")
