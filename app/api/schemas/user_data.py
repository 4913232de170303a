"""`/v1/users/{user_id}`: merging two users, and what an erasure took."""

from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import Field

from app.api.schemas.fields import Identifier, UserRef, Wire

if TYPE_CHECKING:
    from app.users.erasure import Receipt


class MergeRequest(Wire):
    """Who turned out to be this user."""

    from_user_id: Identifier = Field(
        description="The id that is given up, such as an anonymous session's. What is sent of it later is this user's."
    )


class MergeAnswer(Wire):
    user_id: str = Field(description="Who has it all now.")
    from_user_id: str = Field(description="The id that was given up.")
    moved: dict[str, int] = Field(description="Rows that moved, by store. All 0 when it had been done before.")


class ErasureReceipt(Wire):
    """What was erased. Keep it: nothing of the user is left here to show."""

    receipt_id: str = Field(description="Also kept here, beside a hash of the user id: 16 hexadecimal digits.")
    user_id: UserRef
    erased_at: datetime = Field(description="When the rows went, in UTC.")
    rows: dict[str, int] = Field(description="Rows that each store lost, 0 where it held nothing of the user.")
    incomplete: dict[str, str] = Field(
        description="Stores that did not answer, with what becomes of what they hold. Empty when all did."
    )

    @classmethod
    def from_domain(cls, receipt: "Receipt") -> "ErasureReceipt":
        return cls(
            receipt_id=receipt.receipt_id,
            user_id=receipt.user_id,
            erased_at=receipt.erased_at,
            rows=receipt.rows,
            incomplete=receipt.incomplete,
        )
