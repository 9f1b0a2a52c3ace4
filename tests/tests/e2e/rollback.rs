//! Rollbacks with a real nginx: a change that breaks it, one that only harms it, and good files that fail as well.

use super::servers::{answers, installed};
use super::story::Story;
use picket_rpc::v1;
use picket_tests::rig::listen::{free_port, wait_listening};
use picket_tests::rig::process::PATIENCE;
use rustix::process::Signal;
use std::fs::Permissions;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use tempfile::TempDir;

const ASKS: &str = "GET / HTTP/1.0\r\n\r\n";

/// Whether `nginx -t` looks at files before nginx is started with them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Precheck {
    Yes,
    No,
}

/// An nginx whose files are kept as good ones, and its agent.
struct Nginx {
    folder: TempDir,
    address: SocketAddr,
    story: Story,
}

impl Nginx {
    async fn begin(precheck: Precheck) -> Self {
        let (folder, address) = (tempfile::tempdir().unwrap(), free_port());
        std::fs::create_dir(folder.path().join("conf")).unwrap();
        let whole = site(address, "return 200 \"well\\n\"");
        let conf = folder.path().join("conf/nginx.conf");
        std::fs::write(&conf, whole.replace("OUTSIDE", folder.path().to_str().unwrap())).unwrap();
        std::fs::set_permissions(&conf, Permissions::from_mode(0o640)).unwrap();
        std::fs::write(folder.path().join("outside.conf"), "server_tokens off;\n").unwrap();
        let conf = conf.to_str().unwrap().to_owned();
        let nginx = format!(
            "\"nginx\", \"-p\", \"{{state}}\", \"-c\", \"{conf}\", \"-e\", \"stderr\", \"-g\", \"daemon off;\""
        );
        let precheck = match precheck {
            Precheck::Yes => {
                format!("precheck = [{}]\n", nginx.replacen("\"nginx\"", "\"nginx\", \"-t\"", 1))
            }
            Precheck::No => String::new(),
        };
        let config = format!(
            "[host]\nenabled = false\n\n[[service]]\nname = \"nginx\"\ncommand = [{nginx}]\n\
             ladder = [\"restart\", \"rollback\"]\nhold = \"500ms\"\nstart_timeout = \"3s\"\nbackoff_first = \"20ms\"\n\
             retry_after = \"1h\"\n[service.good]\nfiles = [\"{}\"]\n{precheck}after = \"1s\"\n\
             [[service.check]]\nkind = \"http\"\nurl = \"http://{address}/\"\nstatus = 200\ninterval = \"1s\"\n\
             timeout = \"1s\"\n",
            folder.path().join("conf").display()
        );
        let mut story = Story::begin(&config).await;
        story.agent.line_with("service-started");
        assert!(wait_listening(address, PATIENCE));
        story.agent.line_with("kept as good ones");
        Self { folder, address, story }
    }

    fn conf(&self) -> PathBuf {
        self.folder.path().join("conf/nginx.conf")
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.conf()).unwrap()
    }

    /// An operator edits it and does not look whether it is sound; then nginx is killed.
    async fn edited_and_killed(&mut self, from: &str, to: &str) -> String {
        let edited = self.text().replace(from, to);
        assert_ne!(edited, self.text());
        std::fs::write(self.conf(), &edited).unwrap();
        self.story.signal("nginx", Signal::KILL).await;
        edited
    }

    /// What the agent told from the kill on to this code.
    fn told(&mut self, code: &str) -> String {
        self.story.agent.line_with(&format!("\"{code}\""))
    }

    /// The files that the newest rollback replaced.
    fn aside(&self) -> String {
        let own = self.conf();
        let copy =
            self.story.home.state().join("good/nginx/aside-1/files").join(own.strip_prefix("/").unwrap());
        std::fs::read_to_string(copy).unwrap()
    }

    async fn is_rolled_back(&mut self, good: &str, edited: &str) {
        let begun = loop {
            let begun = self.told("remedy-begun");
            if begun.contains("rolled back") {
                break begun;
            }
        };
        let named = format!("it fails since {} changed", self.conf().display());
        assert!(begun.contains(&named), "{begun}");
        assert!(self.told("remedy-held").contains("recovered, verified"));
        assert!(answers(self.address, ASKS, "well"), "it serves again");
        assert_eq!(self.text(), good, "the good one is back");
        let mode = std::fs::metadata(self.conf()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640, "with its permissions");
        assert_eq!(self.aside(), edited, "and nothing is lost");
        self.story.change("incident-resolved").await;
        let incidents = self.story.incidents().await;
        assert_eq!(incidents.len(), 1, "{incidents:#?}");
        assert_eq!(incidents[0].state(), v1::IncidentState::Resolved);
        let timeline = format!("{:#?}", self.story.incident(incidents[0].id).await);
        assert!(timeline.contains(&named), "the incident names the file: {timeline}");
    }
}

fn site(address: SocketAddr, answer: &str) -> String {
    format!(
        "worker_processes 1;\npid nginx.pid;\nerror_log stderr warn;\nevents {{ worker_connections 64; }}\nhttp {{\n    \
         access_log off;\n    client_body_temp_path client_body;\n    proxy_temp_path proxy;\n    \
         fastcgi_temp_path fastcgi;\n    uwsgi_temp_path uwsgi;\n    scgi_temp_path scgi;\n    include OUTSIDE/outside.conf;\n    \
         server {{ listen {address}; location / {{ default_type text/plain; {answer}; }} }}\n}}\n"
    )
}

/// Purpose: an edit that nginx refuses lies there unnoticed until nginx dies; then no restart helps.
#[tokio::test]
async fn a_broken_edit_is_rolled_back_when_nginx_dies() {
    if !installed("a_broken_edit_is_rolled_back", "nginx", "nginx-light") {
        return;
    }
    let mut nginx = Nginx::begin(Precheck::Yes).await;
    let good = nginx.text();
    let edited = nginx.edited_and_killed("events {", "nonsense on;\nevents {").await;
    nginx.is_rolled_back(&good, &edited).await;
    assert!(nginx.story.agent.said().contains("unknown directive"), "nginx' own words are told too");
}

/// Purpose: an edit that nginx takes and that makes it answer with errors: only the check can tell.
#[tokio::test]
async fn a_valid_edit_that_does_harm_is_rolled_back_by_its_check() {
    if !installed("a_valid_edit_that_does_harm_is_rolled_back", "nginx", "nginx-light") {
        return;
    }
    let mut nginx = Nginx::begin(Precheck::No).await;
    let good = nginx.text();
    let edited = nginx.edited_and_killed("return 200 \"well\\n\"", "return 500").await;
    nginx.is_rolled_back(&good, &edited).await;
    assert!(nginx.story.agent.said().contains("HTTP status 500"));
}

/// Purpose: where the good files fail as well, they are not the cause: the operator's own stand again, and it is told.
#[tokio::test]
async fn good_files_that_fail_too_are_undone_and_the_breaker_opens() {
    if !installed("good_files_that_fail_too_are_undone", "nginx", "nginx-light") {
        return;
    }
    for precheck in [Precheck::No, Precheck::Yes] {
        let mut nginx = Nginx::begin(precheck).await;
        std::fs::remove_file(nginx.folder.path().join("outside.conf")).unwrap();
        let edited = nginx.edited_and_killed("worker_connections 64", "worker_connections 65").await;
        let open = nginx.told("breaker-open");
        assert!(
            open.contains("exited with status 1") && !open.contains("changed"),
            "it was not the cause: {open}"
        );
        let said = nginx.story.agent.said();
        assert!(said.contains("it fails since") && said.contains("nginx.conf changed"), "{said}");
        let undone = match precheck {
            Precheck::No => "; the files that were there before are being put back",
            Precheck::Yes => "the precheck of its good files failed: nginx: configuration file",
        };
        assert!(said.contains(undone), "{said}");
        assert_eq!(said.matches("is rolled back").count(), 1, "what did not help is not tried again: {said}");
        assert_eq!(nginx.text(), edited, "as the operator left it");
        assert_eq!(nginx.aside(), edited);
    }
}
