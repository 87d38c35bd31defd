"""Fills an empty BottleCRM: an organisation, the account that the service writes as, and a person. Run by its Python.

Prints two tokens, one a line: the service's, with the scopes that it needs and no other, and the person's.
"""

import django  # type: ignore[import-untyped, import-not-found, unused-ignore]

django.setup()

from common.models import (  # type: ignore[import-not-found]  # noqa: E402
    Org,
    PersonalAccessToken,
    Profile,
    User,
)

RESOURCES = ("leads", "contacts", "interactions", "tasks", "opportunities", "accounts")
SCOPES = [
    "profile:read",
    *(f"{resource}:{action}" for resource in RESOURCES for action in ("read", "write")),
]


def member(org: object, login: str) -> object:
    """Make a user who sees everything there."""
    user = User.objects.create_user(email=f"{login}@crm.invalid", password=None)
    profile, _ = Profile.objects.get_or_create(user=user, org=org)
    profile.role, profile.is_active = "ADMIN", True
    profile.save()
    return profile


# Without a country it does not work out international numbers, and finds nobody by them.
house = Org.objects.create(name="Lab", default_country="DE")
print(PersonalAccessToken.generate(member(house, "waihu"), "waihu", scopes=SCOPES)[0])
print(PersonalAccessToken.generate(member(house, "person"), "person")[0])
