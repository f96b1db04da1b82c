"""Answers in JSON: bodies, and errors as ``{"error": …, "message": …, "fields": […]}``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiohttp import web
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from router.domain.errors import (
    CallRouterError,
    FieldError,
    FieldErrors,
    NotFound,
    OriginRefused,
    StillNeeded,
    StoreUnavailable,
    UnknownSession,
    UnknownSite,
)
from router.services.access import SignInRefused
from router.services.live import TooManySubscribers
from router.services.once import KeyReused
from router.web.schemas import Problem, ProblemField
from router.web.throttle import TooMany

_JSON = {"Content-Type": "application/json; charset=utf-8"}


class Changed(CallRouterError):
    """It is not any more as it was when you read it: read it again."""


class NotAlone(CallRouterError):
    """This is the network's, and holds for every organisation here: by command only."""


# What a domain error is to a browser: status and code. The most special class first.
_ERRORS: Sequence[tuple[type[Exception], int, str]] = (
    (StillNeeded, 409, "still_needed"),
    (KeyReused, 422, "idempotency_key_reused"),
    (Changed, 412, "changed"),
    (NotAlone, 403, "forbidden"),
    (FieldError, 400, "bad_request"),
    (FieldErrors, 400, "bad_request"),
    (UnknownSite, 404, "unknown_site"),
    (UnknownSession, 404, "unknown_session"),
    (NotFound, 404, "not_found"),
    (OriginRefused, 403, "wrong_origin"),
    (SignInRefused, 403, "sign_in_refused"),
    (TooMany, 429, "too_many_requests"),
    (TooManySubscribers, 503, "too_many_feeds"),
    (StoreUnavailable, 503, "unavailable"),
)

HTTP_CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    413: "too_large",
    415: "unsupported_media_type",
    416: "range_not_satisfiable",
}


class BadBody(CallRouterError):
    """The request's body or query is not as it should be."""

    def __init__(self, fields: Sequence[ProblemField]) -> None:
        super().__init__("; ".join(f"{f.field}: {f.problem}" for f in fields))
        self.fields = tuple(fields)


def json_answer(body: BaseModel, status: int = 200) -> web.Response:
    return web.Response(body=body.model_dump_json().encode(), status=status, headers=_JSON)


def problem(
    status: int,
    code: str,
    message: str,
    fields: Sequence[ProblemField] = (),
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    answer = json_answer(Problem(error=code, message=message, fields=list(fields)), status)
    answer.headers.update(headers or {})
    return answer


def refusal(error: Exception) -> web.Response | None:
    """The answer to one of our errors; None for an error that is not ours."""
    if isinstance(error, BadBody):
        return problem(400, "bad_request", str(error), error.fields)
    for kind, status, code in _ERRORS:
        if isinstance(error, kind):
            headers = {}
            if isinstance(error, TooMany):
                headers["Retry-After"] = str(error.retry_after)
            elif status == 503:
                headers["Retry-After"] = "1"
            return problem(status, code, _message(error), _fields(error), headers)
    return None


def _message(error: Exception) -> str:
    # what the database said is for the log
    return "not available, try again" if isinstance(error, StoreUnavailable) else str(error)


def _fields(error: Exception) -> list[ProblemField]:
    found: Sequence[FieldError] = ()
    if isinstance(error, FieldError):
        found = (error,)
    elif isinstance(error, FieldErrors):
        found = error.problems
    return [ProblemField(field=f.field, problem=f.problem, example=f.example) for f in found]


def from_validation(model: type[BaseModel], error: ValidationError) -> BadBody:
    """pydantic's report → each field's JSON path, the problem, and the field's example."""
    return BadBody([_problem_field(model, detail) for detail in error.errors(include_url=False)])


def _problem_field(model: type[BaseModel], detail: ErrorDetails) -> ProblemField:
    path = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in detail["loc"]).lstrip(".")
    examples = None
    if detail["loc"] and (field := model.model_fields.get(str(detail["loc"][0]))):
        examples = field.examples
    return ProblemField(
        field=path or "body",
        problem=str(detail["msg"]).removeprefix("Value error, ")[:300],
        example=str(examples[0]) if examples else "",
    )
