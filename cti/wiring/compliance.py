"""Puts compliance together: profiles, the gate, the do-not-call list, consent. Starts nothing."""

from cti.clock import Clock
from cti.compliance.consent_desk import ConsentDesk
from cti.compliance.do_not_call import DoNotCall
from cti.compliance.gate import ComplianceGate
from cti.compliance.preview import ComplianceDesk
from cti.compliance.profiles import SHIPPED, load_profiles
from cti.service import Service
from cti.settings import Settings
from cti.storage.database import Database


class ComplianceRoom:
    """The parts, wired."""

    def __init__(self, *, settings: Settings, database: Database, clock: Clock) -> None:
        """Read the profiles that are shipped and those of the settings. Raises SettingsError."""
        own, region = settings.compliance.profiles, settings.dialer.region
        profiles = load_profiles(SHIPPED, *([own] if own else []))
        self.gate = ComplianceGate(store=database.compliance, profiles=profiles)
        self.do_not_call = DoNotCall(
            store=database.do_not_call, facts=database.compliance, clock=clock, region=region
        )
        self.consents = ConsentDesk(store=database.consents, clock=clock, region=region)
        self.desk = ComplianceDesk(
            gate=self.gate,
            profiles=profiles,
            store=database.compliance,
            consents=database.consents,
            region=region,
        )
        self.services: tuple[Service, ...] = (self.do_not_call,)
