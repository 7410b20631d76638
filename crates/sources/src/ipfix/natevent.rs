//! The NAT events of RFC 8158 section 4.3 and what each becomes.

use weir_record::kinds::{Action, Form};

/// What a record tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Event {
    /// Number 0: nothing happened (also sent by exporters for records between create and delete).
    None = 0,
    /// 1, historic "NAT translation create": its form follows from the template.
    OldCreate,
    /// 2, historic "NAT translation delete".
    OldDelete,
    /// 3: no address left in a pool.
    AddressesExhausted,
    /// 4 (NAT44) and 6 (NAT64).
    SessionCreate,
    /// 5 and 7.
    SessionDelete,
    /// 8 (NAT44) and 10 (NAT64).
    BibCreate,
    /// 9 and 11.
    BibDelete,
    /// 12: no port left.
    PortsExhausted,
    /// 13: a limit was reached; natQuotaExceededEvent (466) says which.
    QuotaExceeded,
    /// 14.
    BindingCreate,
    /// 15.
    BindingDelete,
    /// 16.
    BlockCreate,
    /// 17.
    BlockDelete,
    /// 18: natThresholdEvent (467) says which.
    Threshold,
    /// A number without a meaning in the exporter's profile.
    Unknown,
}

/// The numbers of RFC 8158, from 0.
pub const RFC8158: [Event; 19] = [
    Event::None,
    Event::OldCreate,
    Event::OldDelete,
    Event::AddressesExhausted,
    Event::SessionCreate,
    Event::SessionDelete,
    Event::SessionCreate,
    Event::SessionDelete,
    Event::BibCreate,
    Event::BibDelete,
    Event::BibCreate,
    Event::BibDelete,
    Event::PortsExhausted,
    Event::QuotaExceeded,
    Event::BindingCreate,
    Event::BindingDelete,
    Event::BlockCreate,
    Event::BlockDelete,
    Event::Threshold,
];

/// Action and form in one byte, so that a column of events is mapped by one table: action in the low four bits, form above.
/// 0 is "no mapping event".
pub type Code = u8;

/// The code of an action and a form.
pub const fn code(action: Action, form: Form) -> Code {
    (action as u8) | ((form as u8) << 4)
}

/// The action in a code.
pub const fn action_of(code: Code) -> u8 {
    code & 0x0f
}

/// The form in a code.
pub const fn form_of(code: Code) -> u8 {
    code >> 4
}

impl Event {
    /// The code of an event; `historic` is the form that 1 and 2 have with this template.
    pub fn code(self, historic: Form) -> Code {
        match self {
            Event::OldCreate => code(Action::Create, historic),
            Event::OldDelete => code(Action::Delete, historic),
            Event::SessionCreate => code(Action::Create, Form::Session),
            Event::SessionDelete => code(Action::Delete, Form::Session),
            Event::BibCreate => code(Action::Create, Form::Bib),
            Event::BibDelete => code(Action::Delete, Form::Bib),
            Event::BindingCreate => code(Action::Create, Form::AddressBinding),
            Event::BindingDelete => code(Action::Delete, Form::AddressBinding),
            Event::BlockCreate => code(Action::Create, Form::Block),
            Event::BlockDelete => code(Action::Delete, Form::Block),
            Event::None | Event::AddressesExhausted | Event::PortsExhausted | Event::QuotaExceeded | Event::Threshold | Event::Unknown => 0,
        }
    }

    /// The word under which an event that is no mapping is recorded; `None` for mappings and for number 0.
    pub fn notice(self) -> Option<&'static str> {
        match self {
            Event::AddressesExhausted => Some("nat-addresses-exhausted"),
            Event::PortsExhausted => Some("nat-ports-exhausted"),
            Event::QuotaExceeded => Some("nat-quota-exceeded"),
            Event::Threshold => Some("nat-threshold"),
            _ => None,
        }
    }

    /// Every event that is recorded as a notice.
    pub const NOTICES: [Event; 4] = [Event::AddressesExhausted, Event::PortsExhausted, Event::QuotaExceeded, Event::Threshold];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_eighteen_events_become_something() {
        let create = |form| Some((Action::Create as u8, form as u8));
        let delete = |form| Some((Action::Delete as u8, form as u8));
        let want = [
            (1, create(Form::Session), None),
            (2, delete(Form::Session), None),
            (3, None, Some("nat-addresses-exhausted")),
            (4, create(Form::Session), None),
            (5, delete(Form::Session), None),
            (6, create(Form::Session), None),
            (7, delete(Form::Session), None),
            (8, create(Form::Bib), None),
            (9, delete(Form::Bib), None),
            (10, create(Form::Bib), None),
            (11, delete(Form::Bib), None),
            (12, None, Some("nat-ports-exhausted")),
            (13, None, Some("nat-quota-exceeded")),
            (14, create(Form::AddressBinding), None),
            (15, delete(Form::AddressBinding), None),
            (16, create(Form::Block), None),
            (17, delete(Form::Block), None),
            (18, None, Some("nat-threshold")),
        ];
        for (number, mapping, notice) in want {
            let event = RFC8158[number];
            let code = event.code(Form::Session);
            assert_eq!((code != 0).then_some((action_of(code), form_of(code))), mapping, "{number}");
            assert_eq!(event.notice(), notice, "{number}");
        }
    }
}
