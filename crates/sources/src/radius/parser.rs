//! RADIUS packets: header, attributes, vendor-specific attributes (RFC 2865), extended attributes and TLVs (RFC 6929).
//!
//! Everything here borrows from the datagram, does no I/O and never panics. A [`Packet`] that exists is well-formed down to its
//! attribute lengths; what is inside an attribute is judged when it is read.

use super::attributes::{EXTENDED_1, VENDOR_SPECIFIC};
use super::limits::{ATTRIBUTES_MAX, PACKET_MAX_BYTES, PACKET_MIN_BYTES};

/// Why bytes are not a RADIUS packet (RFC 2865 section 3). Offsets are bytes from the packet's begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Fewer bytes than a header.
    #[error("{0} bytes are too few for a RADIUS header (20)")]
    TooShort(usize),
    /// The Length field is outside 20 to 4096.
    #[error("the Length field says {0}; it must be between 20 and 4096")]
    LengthField(usize),
    /// The datagram ends before Length.
    #[error("the Length field says {said} but only {have} bytes came")]
    Truncated {
        /// What the Length field says, in bytes.
        said: usize,
        /// What came, in bytes.
        have: usize,
    },
    /// An attribute's length is below 2 or runs past the packet's end.
    #[error("attribute {number} at byte {offset} has length {length}, which is below 2 or runs past the packet's end")]
    AttributeLength {
        /// Attribute number.
        number: u8,
        /// Where it begins.
        offset: usize,
        /// What its length octet says.
        length: u8,
    },
    /// One byte is left where an attribute needs two.
    #[error("a lone byte at byte {0} where an attribute was expected")]
    LoneByte(usize),
    /// More attributes than a packet may carry here.
    #[error("more than {ATTRIBUTES_MAX} attributes")]
    TooManyAttributes,
}

impl ParseError {
    /// A short, stable name for counters and malformed records.
    pub fn reason(&self) -> &'static str {
        match self {
            ParseError::TooShort(_) => "radius.too-short",
            ParseError::LengthField(_) => "radius.length-field",
            ParseError::Truncated { .. } => "radius.truncated",
            ParseError::AttributeLength { .. } => "radius.attribute-length",
            ParseError::LoneByte(_) => "radius.lone-byte",
            ParseError::TooManyAttributes => "radius.too-many-attributes",
        }
    }

    /// Where it went wrong, in bytes from the packet's begin.
    pub fn offset(&self) -> usize {
        match self {
            ParseError::TooShort(_) | ParseError::TooManyAttributes => 0,
            ParseError::LengthField(_) => 2,
            ParseError::Truncated { have, .. } => *have,
            ParseError::AttributeLength { offset, .. } => *offset,
            ParseError::LoneByte(at) => *at,
        }
    }
}

/// One attribute as it lies in the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// Attribute number.
    pub number: u8,
    /// Value without the two header octets.
    pub value: &'a [u8],
    /// Where the value begins, in bytes from the packet's begin.
    pub offset: usize,
}

/// One sub-attribute of a Vendor-Specific attribute (RFC 2865 section 5.26, the recommended format).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VendorAttribute<'a> {
    /// SMI enterprise number.
    pub vendor: u32,
    /// Vendor type.
    pub number: u8,
    /// Value without the vendor header.
    pub value: &'a [u8],
}

/// One extended attribute of the short format (RFC 6929 section 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtendedAttribute<'a> {
    /// Type octet, 241 to 244.
    pub number: u8,
    /// Extended-Type octet.
    pub extended: u8,
    /// Value after the extended type.
    pub value: &'a [u8],
}

/// A well-formed packet. Padding after its length is not part of it (RFC 2865 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    bytes: &'a [u8],
    /// Code (RFC 2865 section 3).
    pub code: u8,
    /// Identifier, which a retransmission keeps.
    pub identifier: u8,
    /// Request Authenticator.
    pub authenticator: [u8; 16],
}

impl<'a> Packet<'a> {
    /// Reads a datagram.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn parse(datagram: &'a [u8]) -> Result<Packet<'a>, ParseError> {
        let Some((header, _)) = datagram.split_first_chunk::<PACKET_MIN_BYTES>() else {
            return Err(ParseError::TooShort(datagram.len()));
        };
        let [code, identifier, high, low, authenticator @ ..] = *header;
        let said = usize::from(u16::from_be_bytes([high, low]));
        if !(PACKET_MIN_BYTES..=PACKET_MAX_BYTES).contains(&said) {
            return Err(ParseError::LengthField(said));
        }
        let Some(bytes) = datagram.get(..said) else {
            return Err(ParseError::Truncated { said, have: datagram.len() });
        };
        let packet = Packet { bytes, code, identifier, authenticator };
        packet.check()?;
        Ok(packet)
    }

    fn check(&self) -> Result<(), ParseError> {
        let mut count = 0;
        let mut at = PACKET_MIN_BYTES;
        loop {
            match self.bytes.get(at..) {
                None | Some([]) => return Ok(()),
                Some([_]) => return Err(ParseError::LoneByte(at)),
                Some([number, length, rest @ ..]) => {
                    if *length < 2 || usize::from(*length) - 2 > rest.len() {
                        return Err(ParseError::AttributeLength { number: *number, offset: at, length: *length });
                    }
                    at += usize::from(*length);
                }
            }
            count += 1;
            if count > ATTRIBUTES_MAX {
                return Err(ParseError::TooManyAttributes);
            }
        }
    }

    /// The packet's bytes, exactly as many as its Length field says.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// All attributes in order.
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes { bytes: self.bytes, at: PACKET_MIN_BYTES }
    }

    /// The first attribute of a number.
    pub fn first(&self, number: u8) -> Option<Attribute<'a>> {
        self.all(number).next()
    }

    /// Every attribute of a number, in order.
    pub fn all(&self, number: u8) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        self.attributes().filter(move |a| a.number == number)
    }

    /// The vendor attributes, where their inner lengths hold; an inner part that does not hold ends its attribute.
    pub fn vendor_attributes(&self) -> impl Iterator<Item = VendorAttribute<'a>> + use<'a> {
        self.all(VENDOR_SPECIFIC).flat_map(|a| {
            let (vendor, inner) = a.value.split_first_chunk::<4>().map_or((0, &[][..]), |(v, rest)| (u32::from_be_bytes(*v), rest));
            tlvs(inner).map_while(Result::ok).map(move |tlv| VendorAttribute { vendor, number: tlv.number, value: tlv.value })
        })
    }

    /// The short extended attributes 241 to 244. One without an extended type is left out.
    pub fn extended_attributes(&self) -> impl Iterator<Item = ExtendedAttribute<'a>> + use<'a> {
        self.attributes().filter(|a| (EXTENDED_1..=EXTENDED_1 + 3).contains(&a.number)).filter_map(|a| {
            let (extended, value) = a.value.split_first()?;
            Some(ExtendedAttribute { number: a.number, extended: *extended, value })
        })
    }
}

/// Iterates over a packet's attributes.
#[derive(Clone, Debug)]
pub struct Attributes<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        let [number, length, rest @ ..] = self.bytes.get(self.at..)? else { return None };
        let value = rest.get(..usize::from(*length).checked_sub(2)?)?;
        let offset = self.at + 2;
        self.at += usize::from(*length);
        Some(Attribute { number: *number, value, offset })
    }
}

/// One type-length-value triple; its length octet counts the two header octets (RFC 6929 section 2.3, RFC 2865 section 5.26).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// TLV type.
    pub number: u8,
    /// Value without the header.
    pub value: &'a [u8],
}

/// A TLV whose length is below 2 or runs past the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a TLV has a length below 2 or past the end of its attribute")]
pub struct TlvError;

/// Reads a run of TLVs; ends after the first that does not hold.
pub fn tlvs(mut bytes: &[u8]) -> impl Iterator<Item = Result<Tlv<'_>, TlvError>> {
    std::iter::from_fn(move || {
        let (number, length, rest) = match bytes {
            [] => return None,
            [number, length, rest @ ..] => (*number, *length, rest),
            [_] => {
                bytes = &[];
                return Some(Err(TlvError));
            }
        };
        let cut = usize::from(length).checked_sub(2).and_then(|n| rest.split_at_checked(n));
        let Some((value, rest)) = cut else {
            bytes = &[];
            return Some(Err(TlvError));
        };
        bytes = rest;
        Some(Ok(Tlv { number, value }))
    })
}

/// Writes a packet: header with the given authenticator and the attributes in order. For responses, and for tests.
///
/// `None` when an attribute's value is longer than 253 bytes or the packet longer than 4096.
pub fn encode(code: u8, identifier: u8, authenticator: [u8; 16], attributes: &[(u8, &[u8])]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(PACKET_MIN_BYTES + attributes.iter().map(|(_, value)| value.len() + 2).sum::<usize>());
    out.extend_from_slice(&[code, identifier, 0, 0]);
    out.extend_from_slice(&authenticator);
    for (number, value) in attributes {
        let length = u8::try_from(value.len() + 2).ok()?;
        out.extend_from_slice(&[*number, length]);
        out.extend_from_slice(value);
    }
    let length = u16::try_from(out.len()).ok().filter(|n| usize::from(*n) <= PACKET_MAX_BYTES)?;
    if let Some(field) = out.get_mut(2..4) {
        field.copy_from_slice(&length.to_be_bytes());
    }
    Some(out)
}
