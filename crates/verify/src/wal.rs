//! The write-ahead log: every frame, every group, and that no group is missing between what is sealed and what came last.

use std::io;

use weir_base::disk::DiskFile;
use weir_record::group;
use weir_record::stored::keyring::KeyId;
use weir_record::stored::wal::{Container, FileKey, HEADER_BYTES, Header};

use super::facts::OTHER;
use super::folder::Folder;
use super::frames::{Item, Tail, Walk};
use super::keys::Keys;
use super::limits::SMALL_FILE_BYTES;
use super::report::{Checked, Findings};

const LOST: &str = "what was acknowledged and is not sealed may be lost: restore the folder `wal` if there is a copy; else start the program, \
                    which records a gap for every source";

fn path(number: u64) -> String {
    format!("wal/{number:010}.wal")
}

struct Opened {
    number: u64,
    file: Box<dyn DiskFile>,
    /// `None` where the header is damaged.
    head: Option<(Header, FileKey)>,
}

/// What the log says is sealed.
#[derive(Clone, Copy, Debug)]
pub struct Sealed {
    /// The last group of it.
    pub through: u64,
    /// False where entries that were not read may say that later ones are sealed, too.
    pub sure: bool,
}

/// Checks the folder `wal`. Every group after those that are sealed must be there; earlier ones may be there still.
pub fn check(folder: &Folder, keys: &Keys, sealed: Sealed, checked: &mut Checked, found: &mut Findings) -> io::Result<()> {
    let numbers = folder.numbers("wal", "wal")?;
    names(folder, found)?;
    asides(folder, keys, found)?;
    if !keys.open {
        return Ok(());
    }
    keys_without_files(keys, &numbers, found);
    let numbers = without_begun(folder, keys, numbers, found)?;
    let keyless: Vec<u64> = numbers.iter().copied().filter(|n| keys.get(&KeyId::wal(*n)).is_none()).collect();
    let leaving = numbers.iter().zip(&keyless).take_while(|(a, b)| a == b).count();
    for (i, number) in keyless.iter().enumerate() {
        if i < leaving && *number != numbers.last().copied().unwrap_or(0) {
            found.warning(path(*number), "its key is destroyed, and the file is still to be removed", "nothing: the next start removes it");
        } else {
            let hint = "put the keyring of this folder back: it is older than the write-ahead log, or was changed";
            found.problem(path(*number), "the keyring has no key for it, so its groups cannot be read", hint);
        }
    }
    let mut files = Vec::new();
    for number in numbers.iter().copied().filter(|n| !keyless.contains(n)) {
        files.push(open(folder, keys, number, found)?);
    }
    let mut state = State { next: None, groups: 0, found };
    for (i, file) in files.iter().enumerate() {
        let later = files.iter().skip(i + 1).find_map(|f| f.head.as_ref()).map(|(header, _)| header.first_group);
        state.file(file, later, sealed)?;
    }
    checked.wal_files = files.len() as u64;
    checked.wal_groups = state.groups;
    state.end(sealed.through);
    Ok(())
}

fn names(folder: &Folder, found: &mut Findings) -> io::Result<()> {
    for entry in folder.list("wal")?.into_iter().filter(|e| !e.is_dir) {
        let number: Option<u64> = entry.name.strip_suffix(".wal").and_then(|n| n.parse().ok());
        if number.is_none_or(|n| path(n) != format!("wal/{}", entry.name)) {
            let hint = "find out where it comes from, then move it out of the data folder";
            found.problem(format!("wal/{}", entry.name), "it is no file of the write-ahead log", hint);
        }
    }
    Ok(())
}

/// The files but for the newest while it is begun: its name is there before its key, and nothing is in it.
fn without_begun(folder: &Folder, keys: &Keys, mut numbers: Vec<u64>, found: &mut Findings) -> io::Result<Vec<u64>> {
    if let Some(newest) = numbers.last().copied()
        && keys.get(&KeyId::wal(newest)).is_none()
        && folder.file(&path(newest))?.is_empty()?
    {
        found.warning(path(newest), "it was being begun: it is empty and has no key yet", "nothing: the next start removes it");
        numbers.pop();
    }
    Ok(numbers)
}

/// A file comes before its key and goes after it, so a key without a file means that somebody else removed the file.
fn keys_without_files(keys: &Keys, numbers: &[u64], found: &mut Findings) {
    for number in keys.numbers("wal").into_iter().filter(|n| !numbers.contains(n)) {
        let hint = "restore it if there is a copy: what was acknowledged and is not sealed may be lost";
        found.problem(path(number), "the keyring has a key for it, and the file is missing", hint);
    }
}

fn open(folder: &Folder, keys: &Keys, number: u64, found: &mut Findings) -> io::Result<Opened> {
    let file = folder.file(&path(number))?;
    let len = file.len()?;
    let mut bytes = vec![0; HEADER_BYTES.min(usize::try_from(len).unwrap_or(HEADER_BYTES))];
    file.read_exact_at(&mut bytes, 0)?;
    let head = Header::decode(Container::Wal, &bytes).map_err(|e| e.to_string()).and_then(|header| {
        if header.file != number {
            return Err(format!("its header is that of file {}", header.file));
        }
        let wrapping = keys.get(&KeyId::wal(number)).ok_or("the keyring has no key for it")?;
        header.key(wrapping).map(|key| (header, key)).map_err(|e| e.to_string())
    });
    let head = match head {
        Ok(head) => Some(head),
        Err(_) if len < HEADER_BYTES as u64 => {
            found.warning(path(number), "it was never begun: it is shorter than a header", "nothing: the next start removes it");
            None
        }
        Err(why) => {
            found.problem(format!("{}, header", path(number)), why, LOST);
            None
        }
    };
    Ok(Opened { number, file, head })
}

struct State<'f> {
    /// Number the next group must have; `None` before the first header.
    next: Option<u64>,
    groups: u64,
    found: &'f mut Findings,
}

impl State<'_> {
    /// One file; its groups from `later` on are void. The first file must begin right after what is `gone`, or before.
    fn file(&mut self, opened: &Opened, later: Option<u64>, gone: Sealed) -> io::Result<()> {
        let Some((header, key)) = &opened.head else { return Ok(()) };
        let place = path(opened.number);
        let before = self.next.unwrap_or(gone.through.saturating_add(1));
        if self.next.is_none() && !gone.sure && before < header.first_group {
            let last = header.first_group - 1;
            let what =
                format!("the log was not read whole, so it is not known whether groups {before} to {last}, which are not here, are sealed");
            self.found.warning(place.as_str(), what, OTHER);
        } else {
            self.skip_to(&place, before, header.first_group);
        }
        self.next = Some(self.next.map_or(header.first_group, |next| next.max(header.first_group)));
        let limit = later.unwrap_or(u64::MAX);
        let tail = Walk::new(opened.file.as_ref(), key)?.run(&mut |item| match item {
            Item::Damage { offset, bytes } => {
                self.found.problem(format!("{place} from byte {offset}"), format!("{bytes} bytes are damaged"), LOST);
            }
            Item::Frame(groups) => groups.iter().filter(|(n, _)| *n < limit).for_each(|(n, bytes)| self.group(&place, n, bytes)),
        })?;
        match tail {
            Tail::Clean => {}
            // What a failed append left: the next file goes on where this one stopped being good.
            Tail::Torn { offset, bytes } | Tail::Bad { offset, bytes } if later.is_some_and(|later| self.next == Some(later)) => {
                let what = format!("{bytes} bytes behind the last frame are void: an append failed there, and the next file goes on");
                self.found.warning(
                    format!("{place} from byte {offset}"),
                    what,
                    "nothing, if the disk failed then; else find out who wrote them",
                );
            }
            Tail::Torn { offset, bytes } if later.is_none() => {
                let what = format!("cut tail, {bytes} bytes, possibly acknowledged: a frame was being written");
                self.found.warning(
                    format!("{place} from byte {offset}"),
                    what,
                    "nothing while the program runs; else start it: it keeps them aside",
                );
            }
            Tail::Torn { offset, bytes } | Tail::Bad { offset, bytes } => {
                let what = format!("the last {bytes} bytes are no frame: damaged, or cut tail, possibly acknowledged");
                self.found.problem(format!("{place} from byte {offset}"), what, LOST);
            }
        }
        Ok(())
    }

    fn skip_to(&mut self, place: &str, next: u64, group: u64) {
        if next < group {
            let what = format!("groups {next} to {} are missing before it", group - 1);
            self.found.problem(place, what, LOST);
        }
    }

    fn group(&mut self, place: &str, number: u64, bytes: &[u8]) {
        let next = self.next.unwrap_or(number);
        if number < next {
            return;
        }
        self.skip_to(place, next, number);
        if let Err(e) = group::decode(bytes) {
            self.found.problem(format!("{place}, group {number}"), e.to_string(), "use the program that wrote it, or a later one");
        }
        self.groups += 1;
        self.next = Some(number.saturating_add(1));
    }

    /// The newest file never goes, so the log never ends before what is sealed.
    fn end(&mut self, sealed: u64) {
        if sealed > 0 && self.next.is_none_or(|next| next <= sealed) {
            let has = self.next.map_or_else(|| "it has no group".to_owned(), |next| format!("it ends before group {next}"));
            self.found.problem("wal", format!("{has}, and group {sealed} is sealed: its newest file was removed, cut or set back"), LOST);
        }
    }
}

/// Tails that were cut off earlier: what can be read of them is their header.
fn asides(folder: &Folder, keys: &Keys, found: &mut Findings) -> io::Result<()> {
    for entry in folder.list("wal/aside")? {
        let place = format!("wal/aside/{}", entry.name);
        let Some((file, kept)) =
            entry.name.rsplit_once('.').and_then(|(stem, end)| Some((stem.split_once('-')?.0.parse::<u64>().ok()?, end)))
        else {
            continue;
        };
        let bytes = folder.read(&place, SMALL_FILE_BYTES.max(entry.len))?;
        let key = KeyId::new(&format!("aside/{file}")).ok().and_then(|id| keys.get(&id).cloned());
        let opened = Header::decode(Container::Wal, &bytes).map_err(|e| e.to_string()).and_then(|header| match &key {
            Some(key) => header.key(key).map(drop).map_err(|e| e.to_string()),
            None if !keys.open => Ok(()),
            None => Err("the keyring has no key for it".to_owned()),
        });
        if let Err(why) = opened {
            found.problem(
                place.as_str(),
                format!("a tail that was cut from the write-ahead log cannot be opened: {why}"),
                "restore it from a copy",
            );
        } else if kept == "cut" {
            let what = format!(
                "{} bytes were cut off, possibly acknowledged, and are not on record yet",
                entry.len.saturating_sub(HEADER_BYTES as u64)
            );
            found.warning(place, what, "start the program: it records the gap");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::report::Finding;
    use super::*;
    use weir_base::crypto::Secret;
    use weir_record::sink::Group;
    use weir_record::stored::wal::encode_frame;

    /// A file: its number, the first group its header allows (0: it is empty), its groups.
    type File = (u64, u64, Vec<u64>);

    fn judge(files: &[File], keyed: &[u64], sealed: Sealed) -> (u64, Findings) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("wal")).unwrap();
        std::fs::write(dir.path().join("keyring"), b"").unwrap();
        let secret = Secret([4; 32]);
        let keys = Keys::of(keyed.iter().map(|n| (KeyId::wal(*n), secret.clone())).collect());
        let group = group::encode(&Group::new("owner")).unwrap();
        for (number, first, groups) in files {
            let (header, key) = Header::new(Container::Wal, *number, *first, &secret);
            let mut bytes = header.encode();
            if *first == 0 {
                bytes.clear();
            }
            for (frame, number) in (0u64..).zip(groups) {
                bytes.extend(encode_frame(&key, frame, *number, &[&group]).unwrap());
            }
            std::fs::write(dir.path().join(path(*number)), bytes).unwrap();
        }
        let (mut checked, mut found) = (Checked::default(), Findings::default());
        check(&Folder::open(dir.path()).unwrap(), &keys, sealed, &mut checked, &mut found).unwrap();
        (checked.wal_groups, found)
    }

    #[test]
    fn no_group_may_be_missing_after_what_is_sealed() {
        // Files, numbers of keys, last sealed group, groups read, what is named ("" for nothing).
        type Case<'a> = (&'a [File], &'a [u64], u64, u64, &'a str);
        let cases: [Case<'_>; 16] = [
            (&[], &[], 0, 0, ""),
            (&[(1, 1, vec![1, 2])], &[1], 0, 2, ""),
            (&[(1, 1, vec![1, 2]), (2, 3, vec![3])], &[1, 2], 2, 3, ""),
            (&[(2, 3, vec![])], &[2], 2, 0, ""),
            (&[(2, 3, vec![3])], &[2], 1, 1, "groups 2 to 2 are missing"),
            (&[(1, 1, vec![1]), (2, 3, vec![3])], &[1, 2], 0, 2, "groups 2 to 2 are missing"),
            (&[(1, 1, vec![1, 3])], &[1], 0, 2, "groups 2 to 2 are missing"),
            (&[(1, 1, vec![1, 2, 3]), (2, 3, vec![3])], &[1, 2], 0, 3, ""),
            (&[], &[], 1, 0, "it has no group"),
            (&[(1, 1, vec![1])], &[1], 2, 1, "it ends before group 2"),
            (&[(1, 1, vec![1])], &[1, 2], 0, 1, "0000000002.wal: the keyring has a key for it"),
            (&[(1, 1, vec![1]), (2, 2, vec![2])], &[1], 0, 1, "0000000002.wal: the keyring has no key"),
            (&[(1, 1, vec![1]), (2, 2, vec![2])], &[2], 1, 1, ""),
            // Being begun: empty, the newest, no key yet. Only the newest may be.
            (&[(1, 0, vec![])], &[], 0, 0, ""),
            (&[(1, 1, vec![1]), (2, 0, vec![])], &[1], 0, 1, ""),
            (&[(1, 1, vec![1]), (2, 0, vec![]), (3, 2, vec![2])], &[1, 3], 0, 2, "0000000002.wal: the keyring has no key"),
        ];
        for (i, (files, keyed, sealed, groups, want)) in cases.into_iter().enumerate() {
            let (read, found) = judge(files, keyed, Sealed { through: sealed, sure: true });
            let told: Vec<String> = found.problems.listed.iter().map(|p| format!("{}: {}", p.place, p.what)).collect();
            assert_eq!(read, groups, "case {i}: {told:?}");
            assert_eq!(told.is_empty(), want.is_empty(), "case {i}: {told:?}");
            assert!(want.is_empty() || told.iter().any(|t| t.contains(want)), "case {i}: {told:?}");
        }
    }

    #[test]
    fn where_later_groups_may_be_sealed_too_none_before_the_first_file_is_called_missing() {
        let sealed = Sealed { through: 1, sure: false };
        let told = |files: &[File]| {
            let (_, found) = judge(files, &files.iter().map(|(number, ..)| *number).collect::<Vec<_>>(), sealed);
            let what = |list: &[Finding]| list.iter().map(|p| p.what.clone()).collect::<Vec<_>>().join("; ");
            (what(&found.problems.listed), what(&found.warnings.listed))
        };
        let (problems, warnings) = told(&[(2, 5, vec![5])]);
        assert!(problems.is_empty() && warnings.contains("groups 2 to 4, which are not here"), "{problems} {warnings}");
        assert_eq!(told(&[(2, 2, vec![2])]), (String::new(), String::new()));
        let (problems, _) = told(&[(2, 5, vec![5]), (3, 8, vec![8])]);
        assert!(problems.contains("groups 6 to 7 are missing"), "{problems}");
        let (problems, _) = told(&[(1, 1, vec![])]);
        assert!(problems.contains("it ends before group 1"), "{problems}");
    }
}
