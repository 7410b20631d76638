//! Entry points for fuzzing: any bytes may come, nothing may panic, and what reads must hold what the readers promise.

use super::auth::{SharedSecret, response, verify};
use super::detail::{Piece, first_piece, parse_block};
use super::message::Message;
use super::parser::{Packet, encode};

/// Any bytes as a datagram.
///
/// # Panics
/// When a promise is broken: that is a finding.
pub fn radius_packet(data: &[u8]) {
    let Ok(packet) = Packet::parse(data) else { return };
    let attributes: Vec<_> = packet.attributes().map(|a| (a.number, a.value)).collect();
    let again = encode(packet.code, packet.identifier, packet.authenticator, &attributes);
    assert_eq!(again.as_deref(), Some(packet.bytes()), "a packet written again has the same bytes");
    let secret = SharedSecret::new(b"secret");
    let _ = verify(&packet, &secret, true);
    let answer = response(&packet, &secret);
    assert!(answer.as_deref().is_none_or(|a| Packet::parse(a).is_ok()), "an answer is a packet");
    let _ = packet.vendor_attributes().count() + packet.extended_attributes().count();
    let _ = Message::of_packet(&packet);
}

/// Any bytes as a detail file.
///
/// # Panics
/// When a promise is broken: that is a finding.
pub fn radius_detail(data: &[u8]) {
    let mut rest = data;
    loop {
        let taken = match first_piece(rest) {
            Piece::Partial => return,
            Piece::Blank(n) | Piece::TooLong(n) => n,
            Piece::Block(block, n) => {
                let _ = parse_block(block);
                n
            }
        };
        assert!(taken > 0 && taken <= rest.len(), "every piece takes something, and no more than there is");
        rest = rest.get(taken..).unwrap_or_default();
    }
}
