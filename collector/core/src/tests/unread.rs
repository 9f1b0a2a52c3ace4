//! Frames that this collector cannot read: of a kind that it does not know, or spoiled before they were sealed.

use super::ingest::{acks, refusals};
use super::*;

/// A frame of 9 in place of the byte at `at`, under a checksum that is right.
fn resealed(mut frame: Vec<u8>, at: usize) -> Vec<u8> {
    frame[at] = 9;
    let crc = crc32c(&[&frame[..28], &frame[32..]].concat());
    frame[28..32].copy_from_slice(&crc.to_le_bytes());
    frame
}

#[test]
fn frames_of_unknown_kinds_are_journaled_counted_and_acknowledged() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    let frame = resealed(agent.frame(&world, killed(1)), 3);
    world.take_effects();
    agent.batch(&mut world, Lane::Live, frame);
    assert_eq!(acks(&mut world), [(agent.run, ranges(&[(1, 1)]))]);
    assert_eq!((world.host(&agent.host).unknown, world.host(&agent.host).frames), (1, 1));
    assert!(world.incidents().is_empty());
}

#[test]
fn a_sound_frame_whose_body_is_none_is_taken_once_and_the_session_begins_anew() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    let mut batch = resealed(agent.frame(&world, killed(1)), frame::HEADER_LEN);
    batch.extend(agent.frame(&world, started(2)));
    world.take_effects();
    agent.batch(&mut world, Lane::Live, batch.clone());
    assert_eq!(refusals(&mut world), ["frame-spoiled"]);
    assert_eq!((world.host(&agent.host).unknown, world.host(&agent.host).frames), (1, 2));
    agent.session = SessionId(2);
    agent.connect(&mut world);
    world.take_effects();
    agent.batch(&mut world, Lane::Backlog, batch);
    assert_eq!(acks(&mut world), [(agent.run, ranges(&[(1, 2)]))], "it came again: the session goes on");
    assert_eq!(world.host(&agent.host).unknown, 1);
}

fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |mut crc, byte| {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 };
        }
        crc
    })
}
