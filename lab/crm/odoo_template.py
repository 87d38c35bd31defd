"""The databases that every Odoo of the lab begins with: made once, kept in the cache, copied for each run.

Two of them: `phonecall` with OCA's module of calls, and `plain`, Community as it comes. Both have a bot, a salesman
who may see all leads and nothing more, and two agents. Its key and an administrator's are in keys.json.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from lab.errors import LabError, NotPrepared
from lab.installation import cache_folder
from lab.postgres import PostgresServer, find_programs

SOURCE: Final = "odoo-source-1"
VENV: Final = "odoo-venv-1"
"""Folders in the cache; scripts/crm-tools makes them under the same names."""
TEMPLATE: Final = "odoo-template-1"
"""Changes when what is made below does."""
PHONECALL: Final = "phonecall"
PLAIN: Final = "plain"
BOT: Final = "cti-bot@example.com"
AGENTS: Final = ("anna@example.com", "ben@example.com")
NOT_TO_BE_HAD: Final = 3
"""How scripts/crm-tools ends when a package cannot be had."""
PREPARE_SECONDS: Final = 1200
MAKE_SECONDS: Final = 600

_USERS = f"""
import json
def user(name, login, *groups):
    return env['res.users'].with_context(no_reset_password=True).create({{
        'name': name, 'login': login, 'email': login, 'tz': 'Asia/Shanghai',
        'group_ids': [(6, 0, [env.ref(group).id for group in groups])],
    }})
def key(user):
    return env['res.users.apikeys'].with_user(user).sudo()._generate('rpc', 'lab', None)
bot = user('CTI bot', {BOT!r}, 'base.group_user', 'sales_team.group_sale_salesman_all_leads')
for login in {AGENTS!r}:
    user(login.partition('@')[0].title(), login, 'base.group_user', 'sales_team.group_sale_salesman')
keys = {{'bot': key(bot), 'admin': key(env.ref('base.user_admin'))}}
env.cr.commit()
print('KEYS=' + json.dumps(keys))
"""


def prepare() -> None:
    """Fetch what Odoo needs; returns at once when it is there. Raises NotPrepared when it cannot be had."""
    tools = Path(__file__).parents[2] / "scripts" / "crm-tools"
    done = subprocess.run([tools, "odoo"], stderr=subprocess.PIPE, text=True, timeout=PREPARE_SECONDS)
    if done.returncode == NOT_TO_BE_HAD:
        raise NotPrepared(done.stderr.strip())
    if done.returncode != 0:
        raise LabError(f"scripts/crm-tools odoo ended with {done.returncode}:\n{done.stderr.strip()}")


def template() -> Path:
    """Return the folder with the databases, made now if need be (about a minute). Raises LabError."""
    # a cluster of one major version of PostgreSQL is of no use to another
    major = find_programs().parent.name
    folder = cache_folder() / f"{TEMPLATE}-{major}"
    with (cache_folder() / f"{TEMPLATE}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _make(folder)
    return folder


def command(*words: str, settings: Path) -> tuple[list[str], dict[str, str]]:
    """Return how to run Odoo's program, and in which environment."""
    python = cache_folder() / VENV / "bin" / "python"
    environment = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(cache_folder() / SOURCE)}
    # its own settings must not come in from the user's home
    environment |= {"HOME": str(settings.parent), "LANG": "C.UTF-8", "TZ": "UTC"}
    return [str(python), "-m", "odoo", *words], environment


def write_settings(folder: Path, *, database_port: int, http_port: int, databases: Sequence[str]) -> Path:
    """Write Odoo's file of settings into a folder that also holds its data."""
    source, venv = cache_folder() / SOURCE, cache_folder() / VENV
    (packages,) = venv.glob("lib/python3*/site-packages")
    addons = [source / "odoo" / "addons", source / "addons", packages / "odoo" / "addons"]
    lines = {
        "db_host": "127.0.0.1",
        "db_port": database_port,
        "db_user": "waihu",
        "db_password": "none",
        "db_name": ",".join(databases),
        "db_maxconn": 24,
        "http_interface": "127.0.0.1",
        "http_port": http_port,
        "workers": 0,
        "max_cron_threads": 0,
        "list_db": False,
        "data_dir": folder / "data",
        "addons_path": ",".join(map(str, addons)),
    }
    path = folder / "odoo.conf"
    path.write_text("[options]\n" + "".join(f"{name} = {value}\n" for name, value in lines.items()))
    return path


def _make(folder: Path) -> None:
    print(f"making Odoo's databases in {folder} (about a minute)", file=sys.stderr)
    work = Path(tempfile.mkdtemp(prefix="waihu-odoo-template-"))
    database = tempfile.mkdtemp(prefix="waihu-odoo-postgres-")
    server = PostgresServer(programs=find_programs(), folder=Path(database))
    try:
        server.make()
        server.start()
        settings = write_settings(work, database_port=server.port, http_port=0, databases=[PLAIN])
        _install(settings, PLAIN, "crm,base_automation,rpc")
        keys = run_odoo("shell", "--no-http", "-d", PLAIN, settings=settings, given=_USERS)
        server.do(f"CREATE DATABASE {PHONECALL} TEMPLATE {PLAIN}")
        shutil.copytree(work / "data" / "filestore" / PLAIN, work / "data" / "filestore" / PHONECALL)
        _install(settings, PHONECALL, "crm_phonecall")
        server.stop()
        _keep(folder, server.cluster, work / "data", keys)
    finally:
        server.stop()
        shutil.rmtree(work, ignore_errors=True)
        shutil.rmtree(database, ignore_errors=True)


def _install(settings: Path, database: str, modules: str) -> None:
    words = ["-d", database, "-i", modules, "--without-demo=True", "--stop-after-init", "--no-http"]
    run_odoo(*words, settings=settings)


def run_odoo(*words: str, settings: Path, given: str = "") -> str:
    """Run Odoo to its end, return what it printed. Raises LabError with its last words."""
    shell, rest = (["shell"], words[1:]) if words[:1] == ("shell",) else ([], words)
    line, environment = command(*shell, "--config", str(settings), *rest, settings=settings)
    done = subprocess.run(
        line, input=given, capture_output=True, text=True, env=environment, timeout=MAKE_SECONDS
    )
    if done.returncode != 0:
        raise LabError(f"Odoo ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout


def _keep(folder: Path, cluster: Path, data: Path, printed: str) -> None:
    keys = [line.removeprefix("KEYS=") for line in printed.splitlines() if line.startswith("KEYS=")]
    if not keys:
        raise LabError(f"Odoo's shell made no keys:\n{printed[-2000:]}")
    for left in folder.parent.glob(f"{folder.name}.part-*"):
        shutil.rmtree(left)  # of one that was killed; the lock is ours
    part = Path(tempfile.mkdtemp(prefix=f"{folder.name}.part-", dir=folder.parent))
    shutil.copytree(cluster, part / "cluster")
    shutil.copytree(data / "filestore", part / "filestore")
    (part / "keys.json").write_text(json.dumps(json.loads(keys[-1])))
    part.rename(folder)


if __name__ == "__main__":
    template()
