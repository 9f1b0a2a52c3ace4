//! Files whose bytes others changed: what is still whole comes back, and the file is kept aside.

use super::*;

const MANY: u64 = 400;

/// A journal of `MANY` rows in one file, and the file's bytes after `spoil`; what opening it again finds.
async fn spoiled(spoil: impl FnOnce(&mut Vec<u8>)) -> (tempfile::TempDir, Read, Vec<u64>) {
    let data = tempfile::tempdir().unwrap();
    let entries: Vec<_> =
        (1..=MANY).map(|index| batch(index, "web-1", index * 100, index % 70 + 1)).collect();
    written(data.path(), &entries).await;
    let path = data.path().join("journal/journal-000000000001.db");
    assert!(!path.with_extension("db-wal").exists(), "the last connection has moved the log into the file");
    let mut bytes = fs::read(&path).unwrap();
    spoil(&mut bytes);
    fs::write(&path, bytes).unwrap();
    let mut journal = open(data.path());
    let mut sound = Vec::new();
    let read = journal.read_all(|index, now, record| {
        if !matches!(record, Record::Damaged { .. }) {
            let entry = Entry { index, now, record };
            assert_eq!(
                entry,
                entries[usize::try_from(index).unwrap() - 1],
                "what is taken is what was written"
            );
            sound.push(index);
        }
    });
    let read = read.unwrap();
    journal.mend(read.last).unwrap();
    drop(journal);
    written(data.path(), &[batch(read.last + 1, "web-1", 1_000_000, 2)]).await;
    (data, read, sound)
}

fn kept(data: &Path) -> bool {
    data.join("journal/journal-000000000001.db.damaged-1").exists()
}

#[tokio::test]
async fn a_zeroed_header_costs_nothing_and_the_file_is_kept_aside() {
    for len in [16, 100, 4_096] {
        let (data, read, sound) = spoiled(|bytes| bytes[..len].fill(0)).await;
        assert_eq!(sound, (1..=MANY).collect::<Vec<_>>(), "{len} bytes");
        assert_eq!((read.damaged, read.missing), (0, 0));
        assert!(kept(data.path()));
    }
}

#[tokio::test]
async fn a_file_cut_to_half_gives_what_its_half_holds() {
    let (data, read, sound) = spoiled(|bytes| bytes.truncate(bytes.len() / 2 + 77)).await;
    assert!(sound.len() > 100 && sound.len() < 400, "{}", sound.len());
    assert_eq!(read.last, *sound.last().unwrap().max(&read.last));
    assert!(kept(data.path()));
}

#[tokio::test]
async fn flipped_bytes_in_any_page_cost_that_page_at_most() {
    for page in [2_usize, 3, 4, 7, 20, 45] {
        for at in [0, 3, 8, 100, 2_000, 4_000] {
            let (_data, read, sound) = spoiled(|bytes| {
                for byte in &mut bytes[page * 4_096 + at..][..8] {
                    *byte ^= 0xa5;
                }
            })
            .await;
            assert!(sound.len() > 300, "page {page}, byte {at}: {} sound, {read:?}", sound.len());
            assert!(read.entries as usize >= sound.len());
        }
    }
}

#[tokio::test]
async fn damaged_files_are_kept_up_to_a_bound() {
    let data = tempfile::tempdir().unwrap();
    for nth in 0..5 {
        written(data.path(), &[batch(nth + 1, "web-1", nth * 10 + 1, 2)]).await;
        let path = data.path().join("journal/journal-000000000001.db");
        let mut bytes = fs::read(&path).unwrap();
        bytes[..100].fill(0);
        fs::write(&path, bytes).unwrap();
        let read = open(data.path()).read_all(|_, _, _| ()).unwrap();
        assert_eq!(read.entries, nth + 1);
    }
    let names = fs::read_dir(data.path().join("journal")).unwrap();
    let aside = names.filter(|name| name.as_ref().unwrap().file_name().to_string_lossy().contains("damaged"));
    assert_eq!(aside.count(), 3);
}
