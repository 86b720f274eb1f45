"""Make the database that the application is to use: `python -m ops.database` prepares it."""

from ops import environment
from ops.cluster import ensure_cluster
from ops.given import prepare_given
from ops.machine import command, say, var_dir, write_private
from ops.roles import bootstrap_roles, create_database, database_urls, role_passwords

NAME = "mvote"


def prepare() -> dict[str, str]:
    """The five `…DATABASE_URL` variables of a database that is ready for the migrations."""
    given = environment.given_database()
    return prepare_given(given) if given else prepare_private()


def prepare_private() -> dict[str, str]:
    """A database on the clone's own cluster, which is brought up; also in `var/cluster.env`."""
    admin_url = ensure_cluster()
    passwords = role_passwords()
    bootstrap_roles(admin_url, passwords)
    create_database(admin_url, NAME)
    urls = database_urls(admin_url, passwords, NAME)
    write_private(var_dir() / "cluster.env", environment.lines(urls))
    return urls


def main() -> int:
    environment.load()
    prepare()
    say("the database is ready; its addresses are in var/cluster.env or var/roles.env")
    return 0


if __name__ == "__main__":
    command(main)
