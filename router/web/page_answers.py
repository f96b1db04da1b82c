"""What the snippet is answered, as JSON."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from router.domain.page import HandedHow, HeartbeatAnswer, HeartbeatHow, VisitAnswer
from router.web.schemas import NUMBER_EXAMPLE, TOKEN_EXAMPLE, Answer, PhoneNumber, phone_number


class OtherNumberOut(Answer):
    """What stands in the place of one of the page's further numbers; a session of its own holds it."""

    session: UUID
    token: str | None = Field(None, examples=[TOKEN_EXAMPLE])
    number: PhoneNumber
    how: HandedHow
    replace: list[str] = Field(examples=[[NUMBER_EXAMPLE]])
    valid_until: datetime | None


class VisitOut(Answer):
    """The number for this page. `replace`: the page's own numbers that it takes the place of. `token`: to be
    sent along with whatever is said of the session; null where nothing is kept of the visit. `why` is
    there where it was asked for: which rules matched, for the main number first."""

    session: UUID
    token: str | None = Field(None, examples=[TOKEN_EXAMPLE])
    visitor: UUID
    number: PhoneNumber
    how: HandedHow
    replace: list[str] = Field(examples=[[NUMBER_EXAMPLE]])
    heartbeat_seconds: int = Field(examples=[30])
    valid_until: datetime | None
    others: list[OtherNumberOut] = Field([])
    why: list[str] = Field([], examples=[["ads: source is 'google'"]])

    @classmethod
    def of(cls, answer: VisitAnswer) -> VisitOut:
        return cls(
            session=answer.session,
            token=answer.token,
            visitor=answer.visitor,
            number=phone_number(answer.number),
            how=answer.how,
            replace=list(answer.replace),
            heartbeat_seconds=answer.heartbeat_seconds,
            valid_until=answer.valid_until,
            others=[
                OtherNumberOut(
                    session=other.session,
                    token=other.token,
                    number=phone_number(other.number),
                    how=other.how,
                    replace=[other.replace],
                    valid_until=other.valid_until,
                )
                for other in answer.others
            ],
            why=list(answer.why),
        )


class HeartbeatOut(Answer):
    """`number` is given where the page has to show another one than it does, `token` where it has to send
    another one from now on. `others`: the same for the page's further numbers, in their order; null where
    the session is not known any more."""

    number: PhoneNumber | None
    token: str | None = Field(None, examples=[TOKEN_EXAMPLE])
    how: HeartbeatHow
    valid_until: datetime | None
    others: list[HeartbeatOut | None] = Field([])

    @classmethod
    def of(cls, answer: HeartbeatAnswer) -> HeartbeatOut:
        return cls(
            number=phone_number(answer.number) if answer.number else None,
            token=answer.token,
            how=answer.how,
            valid_until=answer.valid_until,
            others=[cls.of(other) if other else None for other in answer.others],
        )
