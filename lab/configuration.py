"""Writes the folder of one Asterisk: its configuration from lab/asterisk, the shipped files of config/asterisk, sounds.

Templates hold @NAME@ where a value goes; Asterisk's own ${...} stays as it is. Starts nothing.
"""

import re
import resource
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from lab.errors import LabError
from lab.installation import Installation
from lab.settings import LabSettings

TEMPLATES: Final = Path(__file__).parent / "asterisk"
SHIPPED: Final = Path(__file__).parent.parent / "config" / "asterisk"
LAB_SECRET: Final = "lab"
"""AMI secret of the lab's own account `lab`, which may do everything."""
LONGEST_SOCKET: Final = 107
"""Bytes in the path of a UNIX socket (unix(7): sun_path holds 108)."""
MOST_FILES: Final = 65_536

_MARK = re.compile(r"@([A-Z_]+)@")
_FOLDERS = ("cache", "etc", "lib", "run", "spool/monitor/cti", "log/cel-custom", "share/sounds", "lib/keys")


def render(template: str, values: Mapping[str, object]) -> str:
    """Return the template with each @NAME@ replaced. A name without a value is a bug: KeyError."""
    return _MARK.sub(lambda mark: str(values[mark[1]]), template)


def write_pbx(folder: Path, settings: LabSettings, asterisk: Installation) -> None:
    """Write the PBX that the service under test works with."""
    values = _values(folder, asterisk, settings.pbx_rtp) | {
        "AMI_PORT": settings.pbx_ami_port,
        "SIP_PORT": settings.pbx_sip_port,
        "CARRIER_SIP_PORT": settings.carrier_sip_port,
        "LAB_SIP_PORT": settings.lab_sip_port,
        "RTP_TIMEOUT": settings.rtp_timeout,
        "QUALIFY_SECONDS": settings.qualify_seconds,
        # Without it no packet leaves while the dialplan waits, and whatever counts frames at the other end is misled.
        "TRANSMIT_SILENCE": "yes",
        "TRUNK_QUALIFY_SECONDS": settings.qualify_seconds or 5,
    }
    _write_node(folder, "pbx", values, asterisk)
    agent = (TEMPLATES / "pbx" / "agent.conf").read_text()
    stanzas = [render(agent, {"NAME": name, "PASSWORD": password}) for name, password in settings.agents()]
    (folder / "etc" / "pjsip_agents.conf").write_text("".join(stanzas))
    for file in SHIPPED.glob("*.conf"):
        shipped = file.read_text()
        if file.name == "manager_cti.conf":
            shipped = _with_secret(shipped, settings.secret)
        (folder / "etc" / file.name).write_text(shipped)


def write_carrier(folder: Path, settings: LabSettings, asterisk: Installation) -> None:
    """Write the Asterisk that plays the public network."""
    values = _values(folder, asterisk, settings.carrier_rtp) | {
        "AMI_PORT": settings.carrier_ami_port,
        "SIP_PORT": settings.carrier_sip_port,
        "PBX_SIP_PORT": settings.pbx_sip_port,
        # It would send silence while it rings, too: more work than all the rest of a busy call. Where the carrier is
        # to be silent after the answer, it plays silence.
        "TRANSMIT_SILENCE": "no",
    }
    _write_node(folder, "carrier", values, asterisk)


def _with_secret(manager: str, secret: str) -> str:
    changed, count = re.subn(r"^secret\s*=.*$", f"secret = {secret}", manager, flags=re.MULTILINE)
    if count != 1:
        raise LabError(f"manager_cti.conf has {count} lines with a secret, expected one")
    return changed


def _values(folder: Path, asterisk: Installation, rtp: range) -> dict[str, object]:
    return {
        "FOLDER": folder,
        "MODULES": asterisk.modules,
        "LAB_SECRET": LAB_SECRET,
        "RTP_FIRST": rtp.start,
        "RTP_LAST": rtp.stop - 1,
        "FILES": min(MOST_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),
    }


def _write_node(folder: Path, kind: str, values: Mapping[str, object], asterisk: Installation) -> None:
    if len(bytes(folder / "run" / "asterisk.ctl")) > LONGEST_SOCKET:
        raise LabError(f"the path {folder} is too long for a socket: choose a shorter folder")
    for name in _FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    for file in [*(TEMPLATES / "both").glob("*.conf"), *(TEMPLATES / kind).glob("*.conf")]:
        if file.name != "agent.conf":
            (folder / "etc" / file.name).write_text(render(file.read_text(), values))
    _lay_share(folder / "share", asterisk)


def _lay_share(share: Path, asterisk: Installation) -> None:
    """Make a folder like Asterisk's own, with our sounds beside the language's prompts."""
    for part in asterisk.share.iterdir():
        link = share / part.name
        if part.name != "sounds" and not link.is_symlink():
            link.symlink_to(part)
    prompts = [found for found in (asterisk.share / "sounds").glob("en*") if found.is_dir()]
    if prompts and not (share / "sounds" / "en").is_symlink():
        (share / "sounds" / "en").symlink_to(prompts[0])
    (share / "sounds" / "music").mkdir(exist_ok=True)
    for sound in asterisk.sounds.glob("*.wav"):
        if not (share / "sounds" / sound.name).exists():
            shutil.copyfile(sound, share / "sounds" / sound.name)
