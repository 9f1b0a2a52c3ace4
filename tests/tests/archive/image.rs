//! Images whose links and lists lead elsewhere: what is not the image's own is neither written nor removed.

use super::made::{Made, SHELLS, SIGNER, Said, script, tree};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

const LINE: &str = "::respawn:/usr/lib/picket-agent/keep --syslog";

/// An image, and beside it what is another host's.
struct Ground {
    made: Made,
    install: PathBuf,
    outside: PathBuf,
}

impl Ground {
    fn begin(test: &str) -> Option<Self> {
        let made = Made::begin(test)?;
        let install = made.archive("1.0", "#!/bin/sh\necho one\n").join("install.sh");
        let outside = made.path("outside");
        for folder in ["agent.toml.d", "picket-agent/spool"] {
            std::fs::create_dir_all(outside.join(folder)).unwrap();
        }
        for file in ["agent.toml", "token", "file", "picket-agent/key"] {
            std::fs::write(outside.join(file), "theirs").unwrap();
        }
        Some(Self { made, install, outside })
    }

    fn installs(&self, shell: &[&str], root: &Path, init: &str) -> Said {
        let key = self.made.key(SIGNER);
        let words =
            ["--key", key.to_str().unwrap(), "--root", root.to_str().unwrap(), "--init", init, "--inittab"];
        self.made.run(shell, &self.install, &words)
    }

    fn removes(&self, shell: &[&str], root: &Path, verb: &str) -> Said {
        self.made.run(shell, &self.install, &[verb, "--root", root.to_str().unwrap()])
    }

    /// Nothing there has gone, come or changed.
    fn untouched(&self) {
        let there = [
            "agent.toml",
            "agent.toml.d",
            "file",
            "picket-agent",
            "picket-agent/key",
            "picket-agent/spool",
            "token",
        ];
        assert_eq!(tree(&self.outside), there);
        for file in ["agent.toml", "token", "file", "picket-agent/key"] {
            assert_eq!(std::fs::read_to_string(self.outside.join(file)).unwrap(), "theirs", "{file}");
        }
    }
}

#[test]
fn a_folder_that_leads_out_of_an_image_keeps_all_that_is_in_it() {
    let Some(ground) = Ground::begin("a_folder_that_leads_out_of_an_image_keeps_all_that_is_in_it") else {
        return;
    };
    for (at, place) in ["etc/picket", "var/lib", "etc"].into_iter().enumerate() {
        for shell in SHELLS {
            let root = ground.made.root(&format!("image-{at}-{}", shell[0]));
            ground.installs(shell, &root, "sysv").is(0, "1.0 is installed");
            let away = ground.made.path(&format!("away-{at}-{}", shell[0]));
            std::fs::rename(root.join(place), &away).unwrap();
            symlink(&ground.outside, root.join(place)).unwrap();
            let before = tree(&root);
            for verb in ["--uninstall", "--purge"] {
                ground.removes(shell, &root, verb).is(1, "make the link there a relative one");
            }
            assert_eq!(tree(&root), before);
            ground.untouched();
            // Of its own image it may be.
            std::fs::remove_file(root.join(place)).unwrap();
            std::fs::create_dir_all(root.join("own")).unwrap();
            std::fs::rename(&away, root.join("own/place")).unwrap();
            symlink(format!("{}own/place", "../".repeat(place.matches('/').count())), root.join(place))
                .unwrap();
            ground.removes(shell, &root, "--purge").is(0, "nothing of the agent is left");
            assert!(!tree(&root).iter().any(|path| path.contains("picket-")), "{:?}", tree(&root));
        }
    }
}

#[test]
fn a_link_in_the_place_of_a_file_is_not_written_through() {
    let Some(ground) = Ground::begin("a_link_in_the_place_of_a_file_is_not_written_through") else { return };
    let theirs = ground.outside.join("file");
    for shell in SHELLS {
        let root = ground.made.root(shell[0]);
        for folder in ["usr/bin", "usr/lib/picket-agent"] {
            std::fs::create_dir_all(root.join(folder)).unwrap();
        }
        let names = [
            "usr/bin/.picket-agent.picket-new",
            "usr/bin/.picket-agent.picket-old",
            "usr/lib/picket-agent/keep",
            "usr/lib/picket-agent/.installed.picket-new",
        ];
        for name in names {
            symlink(&theirs, root.join(name)).unwrap();
        }
        std::fs::remove_file(root.join("etc/inittab")).unwrap();
        symlink(&theirs, root.join("etc/inittab")).unwrap();
        // A table that can't be written is told.
        ground.installs(shell, &root, "busybox").is(0, LINE);
        ground.untouched();
        assert!(root.join("usr/lib/picket-agent/keep").symlink_metadata().unwrap().is_file());
        std::fs::remove_file(root.join("etc/inittab")).unwrap();
        std::fs::write(&theirs, format!("{LINE}\n")).unwrap();
        symlink(&theirs, root.join("etc/inittab")).unwrap();
        ground.removes(shell, &root, "--purge").is(1, "etc/inittab can't be written: remove the line");
        assert_eq!(std::fs::read_to_string(&theirs).unwrap(), format!("{LINE}\n"));
        std::fs::write(&theirs, "theirs").unwrap();
        ground.removes(shell, &root, "--purge").is(0, "nothing of the agent is left");
        ground.untouched();
    }
}

/// A link to a folder takes what is moved or linked onto it into that folder.
#[test]
fn nothing_goes_into_a_folder_by_a_link_in_the_place_of_a_file() {
    let Some(ground) = Ground::begin("nothing_goes_into_a_folder_by_a_link_in_the_place_of_a_file") else {
        return;
    };
    for shell in SHELLS {
        let root = ground.made.root(shell[0]);
        for folder in ["etc/rc2.d", "usr/bin", "usr/lib/picket-agent", "var/lib/picket-agent.before"] {
            std::fs::create_dir_all(root.join(folder)).unwrap();
        }
        // An installation that was interrupted there, as somebody made it up.
        let before = root.join("var/lib/picket-agent.before");
        let list = "version 0.9\ninit sysv\nfile usr/bin/other\n";
        for (file, text) in [("complete", ""), ("installed", list), ("kept", "usr/bin/other\n")] {
            std::fs::write(before.join(file), text).unwrap();
        }
        std::fs::write(root.join("usr/lib/picket-agent/installed"), list).unwrap();
        std::fs::write(root.join("usr/bin/.other.picket-old"), "evil").unwrap();
        for name in ["usr/bin/other", "etc/rc2.d/S90picket-agent", "var/lib/picket-agent.lock"] {
            symlink(&ground.outside, root.join(name)).unwrap();
        }
        ground.installs(shell, &root, "sysv").is(1, "these are not as they were before it: /usr/bin/other");
        ground.untouched();
        std::fs::remove_file(root.join("usr/bin/other")).unwrap();
        symlink(&ground.outside, root.join("var/lib/picket-agent.lock")).unwrap();
        ground.installs(shell, &root, "sysv").is(0, "1.0 is installed");
        ground.untouched();
        ground.removes(shell, &root, "--purge").is(0, "nothing of the agent is left");
        ground.untouched();
    }
}

#[test]
fn a_list_that_names_what_is_outside_removes_nothing_there() {
    let Some(ground) = Ground::begin("a_list_that_names_what_is_outside_removes_nothing_there") else {
        return;
    };
    for shell in SHELLS {
        let root = ground.made.root(shell[0]);
        ground.installs(shell, &root, "sysv").is(0, "1.0 is installed");
        let list = root.join("usr/lib/picket-agent/installed");
        let theirs = ground.outside.join("file");
        let more = format!(
            "file {0}\nfile ../outside/file\nfile usr/../../outside/file\nlink ..\ndir ../outside/agent.toml.d\n",
            theirs.display()
        );
        std::fs::write(&list, std::fs::read_to_string(&list).unwrap() + &more).unwrap();
        // An upgrade removes what only the older one had, and a removal everything.
        ground.installs(shell, &root, "none").is(0, "1.0 is installed in the place of 1.0");
        ground.untouched();
        std::fs::write(&list, std::fs::read_to_string(&list).unwrap() + &more).unwrap();
        ground.removes(shell, &root, "--purge").is(0, "nothing of the agent is left");
        ground.untouched();
    }
}

/// What starts it at boot is a link; another's file in that place is not its own.
#[test]
fn a_file_in_the_place_of_a_link_stays() {
    let Some(ground) = Ground::begin("a_file_in_the_place_of_a_link_stays") else { return };
    for shell in SHELLS {
        let root = ground.made.root(shell[0]);
        ground.installs(shell, &root, "sysv").is(0, "1.0 is installed");
        let place = root.join("etc/rc2.d/S90picket-agent");
        std::fs::remove_file(&place).unwrap();
        script(&place, "mine");
        ground.installs(shell, &root, "none").is(0, "1.0 is installed in the place of 1.0");
        assert_eq!(std::fs::read_to_string(&place).unwrap(), "mine");
        ground.removes(shell, &root, "--purge").is(0, "nothing of the agent is left");
        assert_eq!(std::fs::read_to_string(&place).unwrap(), "mine");
    }
}
