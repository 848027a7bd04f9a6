//! The scripts of `deploy/postgresql`: a base backup of a cluster that archives its log, and a restore to the moment before a
//! mistake. Everything runs as the user of the server.

use std::path::{Path, PathBuf};

use wim_match::clock::{Clock as _, SystemClock};
use wim_match::domain::organisation::{OrganisationContent, OrganisationDraft};
use wim_match::store::{Begun, Check, Receipt, Scope, Store};

use crate::postgres::{as_owner, binaries, postgres};

/// Servers over folders of their own. Stopped, and the folders removed, when the test ends.
struct Clusters {
    home: PathBuf,
    binaries: PathBuf,
}

impl Clusters {
    fn new(binaries: PathBuf) -> Self {
        let made =
            as_owner().args(["mktemp", "-d", "/tmp/wim-match-pitr.XXXXXX"]).output().expect("mktemp runs");
        let home = PathBuf::from(String::from_utf8(made.stdout).expect("a path").trim());
        let clusters = Self { home, binaries };
        // The user of the server may have no way into the package.
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/postgresql");
        for name in ["archive-wal", "backup", "restore"] {
            let text = std::fs::read_to_string(scripts.join(name)).expect("a script");
            let copy = std::env::temp_dir().join(format!("wim-match-{}-{name}", std::process::id()));
            std::fs::write(&copy, text).expect("is written");
            let to = clusters.home.join(name);
            clusters.shell(&format!("cp {} {to} && chmod 700 {to}", copy.display(), to = to.display()));
            std::fs::remove_file(copy).expect("is removed");
        }
        clusters
    }

    /// Runs a command of the shell as the user of the server, and returns what it printed.
    #[track_caller]
    fn shell(&self, command: &str) -> String {
        Self::shell_with(&format!("{}:/usr/bin:/bin", self.binaries.display()), command)
    }

    /// The same with a path on which Debian has no programs of the server.
    #[track_caller]
    fn operator(command: &str) -> String {
        Self::shell_with("/usr/bin:/bin", command)
    }

    #[track_caller]
    fn shell_with(path: &str, command: &str) -> String {
        let output = as_owner()
            .args(["env", &format!("PATH={path}"), "sh", "-c", command])
            .current_dir("/")
            .output()
            .expect("a shell runs");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}\n{told}");
        String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
    }

    /// Starts a server on the folder `data`.
    fn start(&self, data: &str, settings: &str) {
        let home = self.home.display();
        self.shell(&format!(
            "mkdir -p {home}/{data}.socket && pg_ctl -D {home}/{data} -l {home}/{data}.log -w -t 60 start \
             -o \"-k {home}/{data}.socket -c listen_addresses= -c shared_buffers=16MB {settings}\" >/dev/null \
             || {{ cat {home}/{data}.log >&2; exit 1; }}"
        ));
    }

    /// Waits until a restored server has applied the log and takes writes.
    fn await_writes(&self, data: &str) {
        let home = self.home.display();
        self.shell(&format!(
            "until [ \"$(psql -X -A -t -U wim -h {home}/{data}.socket -d postgres -c 'SELECT pg_is_in_recovery()')\" = f ]; \
             do sleep 0.1; done"
        ));
    }

    fn stop(&self, data: &str) {
        self.shell(&format!("pg_ctl -D {}/{data} -w -m fast stop >/dev/null", self.home.display()));
    }

    fn psql(&self, data: &str, database: &str, command: &str) -> String {
        let socket = format!("{}/{data}.socket", self.home.display());
        self.shell(&format!("psql -X -q -A -t -U wim -h {socket} -d {database} -c \"{command}\""))
    }

    async fn open(&self, data: &str) -> Store {
        let url = format!("postgres:///wim?host={}/{data}.socket&user=wim", self.home.display());
        Store::open(&url).await.expect("opens")
    }
}

impl Drop for Clusters {
    fn drop(&mut self) {
        let home = self.home.display();
        let stop = format!(
            "for data in first restored later; do {}/pg_ctl -D {home}/$data -m immediate stop >/dev/null 2>&1; done; rm -rf {home}",
            self.binaries.display()
        );
        let _ = as_owner().args(["sh", "-c", &stop]).current_dir("/").status();
    }
}

async fn register(store: &Store, id: &str) {
    let organisation = id.parse().expect("an id");
    let draft = OrganisationDraft {
        display_name: id.to_owned(),
        country: "PE".to_owned(),
        ..OrganisationDraft::default()
    };
    let content = OrganisationContent::parse(&organisation, &draft).expect("a right draft");
    let receipt =
        Receipt { actor: "test".to_owned(), scope: Scope::Alliance, now: SystemClock.now(), request: None };
    let Ok(Begun::Fresh(mut session)) = store.begin(receipt).await else { panic!("is new") };
    let (_, note) = session.create_organisation(&organisation, &content).await.expect("is created");
    session.commit(note, b"").await.expect("commits");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_is_restored_to_the_moment_before_a_mistake() {
    // Without PostgreSQL, `postgres` has said so aloud.
    if tokio::task::spawn_blocking(|| postgres().is_none()).await.expect("starts") {
        return;
    }
    let clusters = Clusters::new(binaries().expect("PostgreSQL is installed"));
    let home = clusters.home.display().to_string();
    clusters.shell(&format!(
        "mkdir {home}/wal {home}/base && initdb -D {home}/first -U wim -A trust --no-sync -E UTF8 --locale=C >/dev/null"
    ));
    let archiving = format!(
        "-c wal_level=replica -c archive_mode=on -c archive_command='{home}/archive-wal {home}/wal %p %f'"
    );
    clusters.start("first", &archiving);
    clusters.psql("first", "postgres", "CREATE DATABASE wim");
    let store = clusters.open("first").await;
    store.migrate().await.expect("migrates");
    register(&store, "wim-before-the-backup").await;

    let backup = Clusters::operator(&format!("{home}/backup {home}/base -h {home}/first.socket -U wim"));
    assert!(backup.starts_with(&format!("{home}/base/base-2")), "{backup}");
    register(&store, "wim-after-the-backup").await;
    let content = store.content(&Scope::System).await.expect("reads");
    let moment = clusters.psql("first", "postgres", "SELECT clock_timestamp()");
    // A mistake of the database's owner: nobody else can delete entries of the journal.
    let mistake = "SELECT pg_sleep(0.05); ALTER TABLE journal DISABLE TRIGGER USER; DELETE FROM journal; \
                   ALTER TABLE journal ENABLE TRIGGER USER; DELETE FROM organisation";
    clusters.psql("first", "wim", mistake);
    register(&store, "wim-after-the-mistake").await;
    assert_ne!(store.content(&Scope::System).await.expect("reads"), content);
    store.close().await;
    // The server archives what is left before it stops.
    clusters.psql("first", "postgres", "SELECT pg_switch_wal()");
    clusters.stop("first");

    Clusters::operator(&format!("{home}/restore {backup} {home}/wal {home}/restored '{moment}'"));
    clusters.start("restored", "");
    clusters.await_writes("restored");
    let restored = clusters.open("restored").await;
    assert_eq!(
        restored.content(&Scope::System).await.expect("reads"),
        content,
        "every table is as at that moment"
    );
    for check in Check::ALL {
        assert_eq!(restored.check(&Scope::System, check).await.expect("checks").wrong, [], "{check:?}");
    }
    register(&restored, "wim-after-the-restore").await;
    let content = restored.content(&Scope::System).await.expect("reads");
    restored.close().await;

    // A backup of the restored cluster has the moment of that restore in its settings. Without a moment it is no longer used.
    let second = Clusters::operator(&format!("{home}/backup {home}/base -h {home}/restored.socket -U wim"));
    clusters.stop("restored");
    Clusters::operator(&format!("{home}/restore {second} {home}/wal {home}/later"));
    clusters.start("later", "");
    clusters.await_writes("later");
    assert_eq!(clusters.psql("later", "postgres", "SHOW recovery_target_time"), "");
    let later = clusters.open("later").await;
    assert_eq!(later.content(&Scope::System).await.expect("reads"), content);
    later.close().await;

    // A second restore into the same folder would mix two clusters.
    let again =
        format!("! {home}/restore {backup} {home}/wal {home}/restored 2>{home}/told && cat {home}/told");
    assert!(clusters.shell(&again).contains("is not empty"));
    let quote =
        format!("! {home}/restore {backup} {home}/wal {home}/other \"a'b\" 2>{home}/told && cat {home}/told");
    assert!(clusters.shell(&quote).contains("may have no quotes"));
    let unarchived = format!(
        "echo other >{home}/segment && for f in {home}/wal/*; do ! {home}/archive-wal {home}/wal {home}/segment \
         \"${{f##*/}}\" || exit 1; done"
    );
    clusters.shell(&unarchived);
    let damage = format!(
        "dd if=/dev/zero of={backup}/global/pg_control bs=64 count=1 conv=notrunc 2>/dev/null; \
         ! {home}/restore {backup} {home}/wal {home}/other '{moment}' 2>/dev/null"
    );
    clusters.shell(&damage);
}
