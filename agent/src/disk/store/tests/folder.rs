//! The store on a real folder: hopeless files, no right to write, torn slots, a long backlog.

use super::*;

#[test]
fn where_nothing_can_be_read_the_file_is_put_aside_and_only_four_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    std::fs::create_dir(&spool).unwrap();
    for id in 1..=9 {
        std::fs::write(spool.join(name_of(id)), vec![b'x'; 5000]).unwrap();
    }
    std::fs::write(spool.join("notes.txt"), "mine").unwrap();
    let mut store = Store::new(Folder::below(folder.path()));
    assert_eq!(ask(&mut store, Order::Open, &[]), [Told::Opened { damaged: 9 }]);
    let names = || std::fs::read_dir(&spool).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names().count(), 1 + BAD_MAX, "{:?}", names().collect::<Vec<_>>());
    assert!(spool.join("notes.txt").exists());
}

#[test]
fn a_folder_that_can_not_be_written_is_told_and_what_is_in_it_is_read() {
    let platter = Platter::new();
    let mut dice = Dice(1);
    let life = live(&mut Store::new(platter.clone()), &mut dice, (1, 5));
    platter.fail(Fault::ReadOnly, &mut dice);
    let mut store = Store::new(platter.clone());
    assert!(opened(&ask(&mut store, Order::Open, &[])));
    assert_eq!(read_all(&mut store, 1).0.len(), life.durable.len());
    let begun = ask(&mut store, Order::Begin { segment: 77, class: Class::Critical }, &[]);
    assert_eq!(begun, [Told::Failed { trouble: Trouble::ReadOnly }]);
}

#[test]
fn what_is_known_of_runs_outlives_a_torn_slot() {
    let folder = tempfile::tempdir().unwrap();
    let kept = |folder: &std::path::Path| {
        let told = ask(&mut Store::new(Folder::below(folder)), Order::Open, &[]);
        told.into_iter().find_map(|told| match told {
            Told::Kept { bytes } => Some(bytes),
            _ => None,
        })
    };
    let keep = Order::Keep { bytes: picket_agent_core::spool::Bytes { start: 0, len: 0 } };
    assert_eq!(kept(folder.path()), None);
    let mut store = Store::new(Folder::below(folder.path()));
    ask(&mut store, Order::Open, &[]);
    for bytes in [&b"one"[..], b"two", b"three"] {
        ask(&mut store, keep, bytes);
        assert_eq!(kept(folder.path()).as_deref(), Some(bytes));
    }
    // The third went to the first file; torn, the second counts.
    let first = folder.path().join("spool/runs.0");
    let mut bytes = std::fs::read(&first).unwrap();
    bytes[22] ^= 1;
    std::fs::write(&first, bytes).unwrap();
    assert_eq!(kept(folder.path()).as_deref(), Some(&b"two"[..]));
}

#[test]
fn a_backlog_of_64_mib_is_opened_by_its_summaries_and_a_write_costs_its_pages() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::new(Folder::below(folder.path()));
    ask(&mut store, Order::Open, &[]);
    let (mut seq, mut flash, mut payload) = (0, 0, 0);
    for segment in 1..=256 {
        ask(&mut store, Order::Begin { segment, class: Class::Notable }, &[]);
        let mut used = 0;
        while used + PAGE <= picket_agent_core::spool::SEGMENT_FRAMES as usize {
            let mut bytes = Vec::new();
            while bytes.len() + FRAME_MAX <= PAGE {
                seq += 1;
                bytes.extend(frame(7, seq, Class::Notable));
            }
            used += bytes.len();
            payload += bytes.len() as u64;
            let order = Order::Write { segment, bytes: picket_agent_core::spool::Bytes { start: 0, len: 0 } };
            let told = ask(&mut store, order, &bytes);
            let [Told::Done { flash: cost }] = told[..] else { panic!("{told:?}") };
            flash += cost;
        }
    }
    let mut store = Store::new(Folder::below(folder.path()));
    let before = crate::clock::now().mono;
    let told = ask(&mut store, Order::Open, &[]);
    let took = crate::clock::now().mono.since(before);
    println!("opened 64 MiB ({seq} frames) in {} us; {payload} bytes cost {flash} written", took.micros());
    assert_eq!(told.len(), 257, "a Found for each segment, and Opened");
    let looked_through = store.segments.values().filter(|segment| !segment.is_closed).count();
    assert_eq!(looked_through, 1, "only the newest has no summary");
    let told = ask(&mut store, Order::Read { run: Run(7), from: Seq(seq - 3), only: None }, &[]);
    assert!(matches!(&told[..], [Told::Page { bytes, damaged: 0 }] if !bytes.is_empty()));
    assert!(matches!(told[0].as_fact(), Fact::Page { .. }));
}
