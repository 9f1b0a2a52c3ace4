//! A database with a standby, as Debian's own units run it.

use super::super::host::Host;
use super::super::world::{SOON, World};
use super::{Play, Scenario};

const UNIT: &str = "postgresql@15-main";
const NEEDS: &[(&str, &str)] = &[
    ("/usr/lib/postgresql/15/bin/postgres", "postgresql-15"),
    ("/usr/bin/pg_createcluster", "postgresql-common"),
];
const CHECK: &str = "\n[[service]]\nname = \"postgres\"\nunit = \"postgresql@15-main.service\"\nhold = \"3s\"\nstart_timeout = \"1m\"\n\n\
    [[service.check]]\nkind = \"tcp\"\naddress = \"127.0.0.1:5432\"\ninterval = \"1s\"\ntimeout = \"500ms\"\n";
const ACCESS: &str = "local all all peer\nhost all all 10.77.0.0/24 trust\nhost replication all 10.77.0.0/24 trust\nhost all all fd77::/64 trust\n\
    host replication all fd77::/64 trust\nhost all all 127.0.0.1/32 trust\n";
/// Writes row after row and notes those that were acknowledged.
const WRITER: &str = "i=0; : > /root/acked; while :; do i=$((i+1)); \
    PGCONNECT_TIMEOUT=1 psql -qAtU postgres -h h2 -c \"insert into w values($i)\" 2>/dev/null && echo $i >> /root/acked; sleep 0.02; done";

/// The primary's postmaster is killed while it is written to.
pub(super) const REPLICATION: Scenario = Scenario {
    name: "replication",
    says: "kill -9 of a primary's postmaster while it is written to: healed and verified, its standby streams again, and every row that \
           was acknowledged is on both",
    smoke: false,
    needs: NEEDS,
    play: Play::Inside(|world| {
        primary(world.host(2))?;
        standby(world.host(4))?;
        for number in [2, 4] {
            world.watch_too(number, CHECK)?;
        }
        world.wait("the standby streams", SOON, streams)?;
        world.host(5).does(&["systemd-run", "-q", "--unit=writer", "bash", "-c", WRITER])?;
        written(world, 20)?;
        let before = acked(world)?.len();
        world.host(2).kill(UNIT, "KILL")?;
        world.recovered(2, UNIT, 1)?;
        written(world, before + 20)?;
        world.host(5).does(&["systemctl", "stop", "writer"])?;
        world.wait("the standby streams again", SOON, streams)?;
        for number in [2, 4] {
            world.wait("every acknowledged row is there", SOON, |world| {
                let rows = query(world.host(number), "select id from w")?;
                let rows: Vec<&str> = rows.lines().collect();
                Ok(acked(world)?.iter().all(|row| rows.contains(&row.as_str())))
            })?;
        }
        world.quiet_about(4)
    }),
};

fn primary(host: &Host) -> Result<(), String> {
    host.does(&["sh", "-c", "rm -rf /etc/postgresql/15; mkdir -p /var/lib/postgresql /var/log/postgresql; \
        chown postgres: /var/lib/postgresql /var/log/postgresql; install -d -o postgres -g postgres /run/postgresql"])?;
    host.does(&["pg_createcluster", "15", "main"])?;
    let access = format!("cat > /etc/postgresql/15/main/pg_hba.conf <<'END'\n{ACCESS}END");
    host.does(&["sh", "-c", &access])?;
    host.does(&["sh", "-c", "echo \"listen_addresses = '*'\" >> /etc/postgresql/15/main/postgresql.conf"])?;
    host.does(&["systemctl", "start", UNIT])?;
    query(host, "select pg_create_physical_replication_slot('h4'); create table w(id bigint primary key)")
        .map(drop)
}

fn standby(host: &Host) -> Result<(), String> {
    primary(host)?;
    host.does(&["systemctl", "stop", UNIT])?;
    host.does(&["rm", "-rf", "/var/lib/postgresql/15/main"])?;
    host.does(&[
        "runuser",
        "-u",
        "postgres",
        "--",
        "pg_basebackup",
        "-h",
        "h2",
        "-U",
        "postgres",
        "-D",
        "/var/lib/postgresql/15/main",
        "-R",
        "-S",
        "h4",
        "-X",
        "stream",
        "-c",
        "fast",
    ])?;
    host.does(&["systemctl", "start", UNIT]).map(drop)
}

fn streams(world: &mut World) -> Result<bool, String> {
    Ok(query(world.host(2), "select state from pg_stat_replication")? == "streaming")
}

fn query(host: &Host, text: &str) -> Result<String, String> {
    host.does(&["psql", "-qAtU", "postgres", "-h", "127.0.0.1", "-c", text])
}

fn written(world: &mut World, rows: usize) -> Result<(), String> {
    world.wait(&format!("{rows} rows are acknowledged"), SOON, |world| Ok(acked(world)?.len() >= rows))
}

fn acked(world: &World) -> Result<Vec<String>, String> {
    Ok(world.host(5).does(&["cat", "/root/acked"])?.lines().map(str::to_owned).collect())
}
