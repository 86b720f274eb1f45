"""The shapes of signing in, accounts, departments and roles. They check shape, never rules."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from marshmallow.validate import Length, OneOf, Range, Regexp

from api.fields import (
    Boolean,
    Instant,
    Integer,
    LocalText,
    ShownText,
    Strict,
    String,
    Uuid,
)
from api.spoken import Spoken
from mvote.people.attributes import GENDERS, NAMES
from mvote.people.challenges import PURPOSES
from mvote.people.citizens import ROLES
from mvote.people.sessions import LONGEST_DEVICE
from mvote.wording import say

SIX_DIGITS = Regexp(r"^[0-9]{6}$", error=say("Six digits."))
PURPOSE = Regexp(r"^[a-z][a-z0-9_]{0,39}$", error=say("1 to 40 small letters, digits or _."))
AREA_CODE = Regexp(r"^[0-9A-Za-z-]{1,20}$", error=say("Not an area's code."))
LONGEST_NUMBER = 40
MOST_POSTS = 50
MOST_PURPOSES = 50


def DeviceName() -> String:  # noqa: N802 - a field
    """What an app calls the device that it runs on."""
    return String(
        load_default=None,
        allow_none=True,
        validate=Length(1, LONGEST_DEVICE),
        metadata={"description": "What to call this device in the list of sessions."},
    )


class CodeRequestSchema(Strict):
    phone = String(
        required=True,
        validate=Length(1, LONGEST_NUMBER),
        metadata={"description": "National or international (E.164); a mobile phone's."},
    )
    purpose = String(
        load_default="sign-in",
        validate=OneOf(PURPOSES),
        metadata={
            "description": "What the code will be good for: signing in, or being the new number of"
            " an account (`POST /me/phone`). The text message says it."
        },
    )


class ChallengeSchema(ma.Schema):
    challenge_id = ma.fields.UUID(required=True, attribute="id")
    expires_at = Instant(required=True)


class OneTimeCodeSchema(Strict):
    challenge_id = Uuid(required=True)
    code = String(required=True, validate=SIX_DIGITS)


class SignInRequestSchema(OneTimeCodeSchema):
    device = DeviceName()


class NumberChangeSchema(OneTimeCodeSchema):
    """A code that the new number got by `POST /auth/codes`."""

    merge = Boolean(
        load_default=False,
        metadata={"description": "If another account has the number: both are the caller's."},
    )


class RefreshSchema(Strict):
    refresh_token = String(required=True, validate=Length(1, 200))


class TokensSchema(ma.Schema):
    access_token = ma.fields.String(required=True)
    refresh_token = ma.fields.String(required=True)
    token_type = ma.fields.String(required=True, validate=OneOf(["Bearer"]))
    expires_in = ma.fields.Integer(required=True, metadata={"description": "Seconds."})


class HeldRole(ma.Schema):
    role = ma.fields.String(required=True, validate=OneOf(ROLES))
    department_id = ma.fields.UUID(required=True, allow_none=True)
    granted_at = Instant(required=True)


class AttributeSchema(ma.Schema):
    """A value, and which officer verified it, when and how; null while nobody has."""

    value = ma.fields.Raw(required=True)
    set_at = Instant(required=True)
    verified_by = ma.fields.UUID(required=True, allow_none=True)
    verified_issuer = ma.fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The identity provider that vouches for it, if no officer does."},
    )
    verified_at = Instant(required=True, allow_none=True)
    verified_how = ma.fields.String(required=True, allow_none=True)


class ConsentSchema(ma.Schema):
    purpose = ma.fields.String(required=True)
    text_version = ma.fields.String(required=True, allow_none=True)
    given_at = Instant(required=True)
    withdrawn_at = Instant(required=True, allow_none=True)


AttributesSchema = ma.Schema.from_dict(
    {name: ma.fields.Nested(AttributeSchema) for name in NAMES}, name="AttributesSchema"
)


class CitizenSchema(ma.Schema):
    """A citizen as officers and administrators see them."""

    id = ma.fields.UUID(required=True)
    created_at = Instant(required=True)
    roles = ma.fields.List(ma.fields.Nested(HeldRole), required=True)
    attributes = ma.fields.Nested(AttributesSchema, required=True)


class AccountSchema(CitizenSchema):
    """One's own account."""

    phone = ma.fields.String(
        required=True, allow_none=True, metadata={"description": "With all but its ends hidden."}
    )
    identity_confirmed_at = Instant(
        required=True,
        allow_none=True,
        metadata={"description": "Since when an identity provider vouches for the account."},
    )
    language = ma.fields.String(required=True, allow_none=True)
    consents = ma.fields.List(ma.fields.Nested(ConsentSchema), required=True)


def _values(*, none: bool) -> dict[str, ma.fields.Field[Any]]:
    """The value of each attribute, as it comes in; *none*: null takes it away."""
    area = {
        name: String(validate=AREA_CODE, allow_none=none) for name in NAMES if name.endswith("area")
    }
    return {
        "birth_year": Integer(validate=Range(1, 9999), allow_none=none),
        "gender": String(validate=OneOf(GENDERS), allow_none=none),
        "occupation": String(validate=Length(1, 60), allow_none=none),
        **area,
        "public_body_staff": Boolean(allow_none=none),
    }


DeclaredSchema = Strict.from_dict(_values(none=True), name="DeclaredSchema")
VerifiedSchema = Strict.from_dict(_values(none=False), name="VerifiedSchema")


class ConsentChangeSchema(Strict):
    purpose = String(required=True, validate=PURPOSE)
    given = Boolean(required=True)
    text_version = String(
        load_default=None,
        allow_none=True,
        validate=Length(1, 40),
        metadata={"description": "Which text was shown; another one than before is a new consent."},
    )


class AccountChangesSchema(Strict):
    """What is not sent stays as it is."""

    attributes = ma.fields.Nested(DeclaredSchema, load_default=dict)
    consents = ma.fields.List(
        ma.fields.Nested(ConsentChangeSchema), load_default=list, validate=Length(0, MOST_PURPOSES)
    )
    language = Spoken(allow_none=True)


class VerificationSchema(Strict):
    attributes = ma.fields.Nested(VerifiedSchema, required=True)
    verified_how = String(load_default=None, allow_none=True, validate=Length(1, 200))


class NewDepartmentSchema(Strict):
    name = LocalText(required=True, max_length=100)


class DepartmentSchema(ma.Schema):
    id = ma.fields.UUID(required=True)
    name = ShownText(required=True)
    created_at = Instant(required=True)


class GivenRoleSchema(Strict):
    role = String(required=True, validate=OneOf(ROLES))
    department_id = Uuid(load_default=None, allow_none=True)

    @ma.validates_schema
    def officers_have_a_department(self, data: dict[str, Any], **_: Any) -> None:
        if (data["role"] == "officer") != (data["department_id"] is not None):
            raise ma.ValidationError(
                say("An officer has a department, an administrator has none."), "department_id"
            )


class RolesRequest(Strict):
    roles = ma.fields.List(
        ma.fields.Nested(GivenRoleSchema), required=True, validate=Length(0, MOST_POSTS)
    )
