//! What install.sh refuses: each with a sentence that says what to do, and a folder that is as it was.

use super::made::{Made, OTHER, SHELLS, SIGNER, done, tree};
use std::path::{Path, PathBuf};
use std::process::Command;

const PROGRAM: &str = "#!/bin/sh\necho one\n";

/// An archive that may be spoiled, and a folder that must stay as it is.
struct Ground {
    made: Made,
    whole: PathBuf,
    root: PathBuf,
}

impl Ground {
    fn begin(test: &str) -> Option<Self> {
        let made = Made::begin(test)?;
        let (whole, root) = (made.archive("1.0", PROGRAM), made.root("root"));
        Some(Self { made, whole, root })
    }

    /// Under both shells, with a copy of the archive that `spoil` has changed.
    fn refuses(&self, spoil: impl Fn(&Path), args: &[&str], code: i32, words: &str) {
        let copy = self.made.path("copy");
        done(Command::new("cp").arg("-R").arg(&self.whole).arg(&copy));
        spoil(&copy);
        let before = tree(&self.root);
        for shell in SHELLS {
            let all = [args, &["--root", self.root.to_str().unwrap(), "--init", "sysv"]].concat();
            self.made.run(shell, &copy.join("install.sh"), &all).is(code, words);
            assert_eq!(tree(&self.root), before, "{shell:?} {words}");
        }
        std::fs::remove_dir_all(&copy).unwrap();
    }

    fn key(&self, who: &str) -> String {
        self.made.key(who).to_str().unwrap().to_owned()
    }
}

fn more(path: PathBuf) {
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    std::fs::write(&path, text + "more\n").unwrap();
}

#[test]
fn what_is_not_as_it_was_packed_and_signed_is_refused() {
    let Some(ground) = Ground::begin("what_is_not_as_it_was_packed_and_signed_is_refused") else { return };
    let (signer, other) = (ground.key(SIGNER), ground.key(OTHER));
    let key = ["--key", signer.as_str()];
    let changed = "these files are not as they were packed: get the archive again";
    ground.refuses(|at| more(at.join("all/usr/bin/picket-agent")), &key, 1, changed);
    ground.refuses(|at| more(at.join("all/usr/bin/picket-agent")), &["--checksums-only"], 1, changed);
    let others = "other files than SHA256SUMS lists";
    ground.refuses(|at| more(at.join("all/usr/bin/more")), &key, 1, others);
    ground.refuses(|at| more(at.join("all/SHA256SUMS")), &key, 1, others);
    let link = |at: &Path| std::os::unix::fs::symlink("/etc/passwd", at.join("all/etc/picket/more")).unwrap();
    ground.refuses(link, &key, 1, others);
    ground.refuses(|at| std::fs::remove_file(at.join("all/usr/bin/picket-agent")).unwrap(), &key, 1, changed);

    let not_his = "the signature is not one by the key in";
    ground.refuses(|at| more(at.join("SHA256SUMS")), &key, 1, not_his);
    ground.refuses(|_| (), &["--key", &other], 1, not_his);
    ground.refuses(|at| std::fs::write(at.join("SHA256SUMS.sig"), "").unwrap(), &key, 1, not_his);
    let unsigned = "the archive has no signature (SHA256SUMS.sig)";
    ground.refuses(|at| std::fs::remove_file(at.join("SHA256SUMS.sig")).unwrap(), &key, 1, unsigned);
    ground.refuses(
        |at| std::fs::remove_file(at.join("SHA256SUMS")).unwrap(),
        &key,
        1,
        "unpack the whole archive",
    );
    // Another who signs the same list anew is another.
    let forged = |at: &Path| {
        let mut gpg = Command::new("gpg");
        gpg.env("GNUPGHOME", ground.made.path("gnupg")).args([
            "--batch",
            "--yes",
            "--local-user",
            OTHER,
            "--output",
        ]);
        done(gpg.arg(at.join("SHA256SUMS.sig")).arg("--detach-sign").arg(at.join("SHA256SUMS")));
    };
    ground.refuses(forged, &key, 1, not_his);
}

#[test]
fn a_key_or_the_risk_must_be_named() {
    let Some(ground) = Ground::begin("a_key_or_the_risk_must_be_named") else { return };
    let signer = ground.key(SIGNER);
    ground.refuses(|_| (), &[], 1, "--key FILE; or take the risk: --checksums-only");
    ground.refuses(|_| (), &["--key", "/nowhere/key"], 1, "there is no key /nowhere/key");
    ground.refuses(|_| (), &["--key", &signer, "--checksums-only"], 64, "not both");
    ground.refuses(|_| (), &["--frobnicate"], 64, "--frobnicate is nothing that it knows");
    ground
        .made
        .run(SHELLS[1], &ground.whole.join("install.sh"), &["--init", "upstart"])
        .is(64, "--init upstart is not known");
    let unsigned = |at: &Path| std::fs::remove_file(at.join("SHA256SUMS.sig")).unwrap();
    let root = ground.made.root("trusting");
    unsigned(&ground.whole);
    let args = ["--checksums-only", "--root", root.to_str().unwrap(), "--init", "none"];
    ground.made.run(SHELLS[0], &ground.whole.join("install.sh"), &args).is(0, "1.0 is installed");
}

/// What a package installed, or somebody else, is not this script's.
#[test]
fn what_another_installed_is_let_alone() {
    let Some(ground) = Ground::begin("what_another_installed_is_let_alone") else { return };
    let signer = ground.key(SIGNER);
    std::fs::create_dir_all(ground.root.join("usr/bin")).unwrap();
    std::fs::write(ground.root.join("usr/bin/picket-agent"), "theirs").unwrap();
    ground.refuses(|_| (), &["--key", &signer], 1, "came from no archive: remove it, then again");
    for verb in ["--uninstall", "--purge"] {
        ground.refuses(|_| (), &[verb], 1, "it is not this script's to remove");
    }
    std::fs::create_dir_all(ground.root.join("var/lib/dpkg/info")).unwrap();
    std::fs::write(ground.root.join("var/lib/dpkg/info/picket-agent.list"), "/usr/bin/picket-agent\n")
        .unwrap();
    let owned = "is installed as a package";
    for args in [&["--key", signer.as_str()][..], &["--uninstall"], &["--purge"]] {
        ground.refuses(|_| (), args, 1, owned);
    }
}

/// An image whose links lead to this machine's own files is not written through.
#[test]
fn a_link_out_of_an_image_is_not_followed() {
    let Some(ground) = Ground::begin("a_link_out_of_an_image_is_not_followed") else { return };
    let outside = ground.made.path("outside");
    std::fs::create_dir(&outside).unwrap();
    std::os::unix::fs::symlink(&outside, ground.root.join("usr")).unwrap();
    ground.refuses(|_| (), &["--key", &ground.key(SIGNER)], 1, "leads out of");
    assert!(tree(&outside).is_empty());
}
