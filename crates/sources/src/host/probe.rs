//! What journalctl says of the journal it finds: whether there is one, and whether this account may read it.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use super::limits::{TOLD_BYTES, TOLD_LINE_BYTES};

/// What is wrong with the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// There are no files.
    NoFiles,
    /// There are some, and none may be read.
    Denied,
    /// Entries of this account alone can be read.
    OwnOnly,
    /// Something else, in journalctl's own words.
    Other(String),
}

impl Wrong {
    /// True when nothing comes as long as it is so.
    pub fn stops(&self) -> bool {
        matches!(self, Wrong::NoFiles | Wrong::Denied)
    }

    /// What is wrong and what to do.
    pub fn sentence(&self) -> String {
        match self {
            Wrong::NoFiles => {
                "there are no journal files: set Storage=persistent in journald.conf and restart systemd-journald, or name the folder they are in (sources.host.journal_directory)"
                    .to_owned()
            }
            Wrong::Denied => "journal files may not be read: `usermod -aG systemd-journal weir`, then restart weir".to_owned(),
            Wrong::OwnOnly => {
                "of the journal only the account's own entries can be read: `usermod -aG systemd-journal weir`, then restart weir".to_owned()
            }
            Wrong::Other(said) => format!("journalctl says: {said}"),
        }
    }
}

/// Asks journalctl for nothing, and reads what it says of the journal; `folder`: none for this machine's.
///
/// # Errors
/// It cannot be started.
pub fn probe(folder: Option<&Path>) -> std::io::Result<Option<Wrong>> {
    let mut command = Command::new("journalctl");
    command.args(["--lines=0", "--no-pager"]).args(folder.map(in_folder)).env("LC_ALL", "C");
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let mut said = Vec::new();
    // What cannot be read was not said; beyond the limit it hears nobody, and ends.
    let _ = child.stderr.take().map(|err| err.take(TOLD_BYTES).read_to_end(&mut said));
    let _ = child.wait();
    Ok(wrong(&said, folder))
}

/// The option that names a folder of journal files.
pub fn in_folder(folder: &Path) -> String {
    format!("--directory={}", folder.display())
}

/// What the words of journalctl on standard error mean; none where it said nothing.
pub fn wrong(said: &[u8], folder: Option<&Path>) -> Option<Wrong> {
    let text = String::from_utf8_lossy(said);
    let line = text.lines().map(str::trim).find(|l| !l.is_empty())?;
    let has = |part: &str| text.contains(part);
    Some(if has("not seeing messages from other users") && !has("insufficient permissions") {
        Wrong::OwnOnly
    } else if has("insufficient permissions") || has("ermission denied") {
        Wrong::Denied
    } else if has("No journal files") || has("No such file or directory") {
        Wrong::NoFiles
    } else {
        Wrong::Other(plain(line, folder))
    })
}

/// A line for people: short, without control characters, and without the names of files, which may be those of a user's journal.
fn plain(line: &str, folder: Option<&Path>) -> String {
    let folder = folder.map(|f| f.display().to_string());
    let word = |word: &str| {
        let known = folder.as_ref().is_some_and(|f| word.trim_end_matches([':', ',', '.']) == f);
        if word.contains('/') && !known { "FILE".to_owned() } else { word.to_owned() }
    };
    let line = line.split_whitespace().map(word).collect::<Vec<_>>().join(" ");
    let mut out: String = line.chars().filter(|c| !c.is_control()).collect();
    while out.len() > TOLD_LINE_BYTES {
        out.pop();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts of journalctl 252, as an account without the group, in a container, over a folder that is not there.
    #[test]
    fn what_journalctl_says_is_told_with_what_to_do() {
        let hint = "Hint: You are currently not seeing messages from other users and the system.\n      Users in groups 'adm', \
                    'systemd-journal' can see all messages.\n      Pass -q to turn off this notice.\n";
        let denied = "No journal files were opened due to insufficient permissions.\n";
        for (said, want) in [
            ("", None),
            ("\n \n", None),
            ("No journal files were found.\n", Some(Wrong::NoFiles)),
            ("Failed to open /srv/j: No such file or directory\n", Some(Wrong::NoFiles)),
            (hint, Some(Wrong::OwnOnly)),
            (denied, Some(Wrong::Denied)),
            ("Failed to open /srv/j: Permission denied\n", Some(Wrong::Denied)),
        ] {
            assert_eq!(wrong(said.as_bytes(), None), want, "{said}");
        }
        assert_eq!(wrong(format!("{hint}{denied}").as_bytes(), None), Some(Wrong::Denied));
        for (wrong, word) in [(Wrong::NoFiles, "Storage=persistent"), (Wrong::Denied, "usermod"), (Wrong::OwnOnly, "usermod")] {
            assert!(wrong.sentence().contains(word), "{wrong:?}");
        }
        assert!(Wrong::Denied.stops() && Wrong::NoFiles.stops() && !Wrong::OwnOnly.stops());
    }

    #[test]
    fn other_words_are_one_short_line_without_names_of_files() {
        let said = "Journal file /var/log/journal/9c/user-1000.journal corrupted, ignoring file.\nmore\n";
        let told = wrong(said.as_bytes(), None).unwrap();
        assert_eq!(told, Wrong::Other("Journal file FILE corrupted, ignoring file.".to_owned()));
        let known = wrong(b"cannot look at /srv/j: \x1b[1mno\n", Some(Path::new("/srv/j"))).unwrap();
        assert_eq!(known.sentence(), "journalctl says: cannot look at /srv/j: [1mno");
        let long = wrong("界".repeat(500).as_bytes(), None).unwrap();
        assert!(matches!(&long, Wrong::Other(t) if t.len() <= TOLD_LINE_BYTES && t.len() > TOLD_LINE_BYTES - 3), "{long:?}");
    }
}
