//! What the columns of a table, the keys of JSON and the names in a log line mean.

use std::net::IpAddr;

use super::ends::{self, End, Side};
use super::time::{self, Basis, Moment, Unclear};

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// The public address, perhaps with its port.
    Public,
    /// Its port.
    Port,
    /// The moment.
    Time,
    /// The day, or the moment where no column of the time of day stands beside it.
    Date,
    /// Protocol.
    Protocol,
    /// The far end.
    Remote,
    /// Its port.
    RemotePort,
    /// The zone of the times.
    Zone,
    /// How far the asker's clock may be off.
    Skew,
}

/// Names without signs and in lower case, the likelier ones first.
const NAMES: &[(Column, &[&str])] = &[
    (
        Column::Public,
        &[
            "public",
            "publicip",
            "publicaddress",
            "publicaddr",
            "srcip",
            "sourceip",
            "sourceaddress",
            "sourceaddr",
            "srcaddr",
            "srcaddress",
            "src",
            "source",
            "saddr",
            "ip",
            "ipaddress",
            "ipaddr",
            "address",
            "addr",
            "clientip",
            "clientaddress",
            "clientaddr",
            "client",
            "remoteaddr",
            "remoteip",
            "remotehost",
            "attacker",
            "attackerip",
            "attackingip",
            "attacksource",
            "offender",
            "offenderip",
            "abuser",
            "infringerip",
            "userip",
            "hostip",
            "natip",
            "ip地址",
            "公网ip",
            "公网地址",
            "公网ip地址",
            "源ip",
            "源地址",
            "源ip地址",
            "来源ip",
            "来源地址",
            "客户端ip",
            "客户端地址",
            "攻击ip",
            "攻击源",
            "攻击源ip",
            "登录ip",
            "访问ip",
            "用户ip",
            "地址",
        ],
    ),
    (
        Column::Port,
        &[
            "port",
            "publicport",
            "srcport",
            "sourceport",
            "sport",
            "spt",
            "clientport",
            "remoteport",
            "attackerport",
            "userport",
            "natport",
            "端口",
            "端口号",
            "公网端口",
            "源端口",
            "源端口号",
            "来源端口",
            "客户端端口",
            "用户端口",
        ],
    ),
    (
        Column::Time,
        &[
            "at",
            "timestamp",
            "time",
            "datetime",
            "ts",
            "when",
            "eventtime",
            "timelocal",
            "timeiso8601",
            "requesttime",
            "logtime",
            "starttime",
            "firstseen",
            "seen",
            "occurred",
            "occurredat",
            "created",
            "createdat",
            "timeutc",
            "timestamputc",
            "timegmt",
            "receivedtime",
            "incidenttime",
            "attacktime",
            "timegenerated",
            "logintime",
            "时间",
            "日期时间",
            "时间戳",
            "发生时间",
            "访问时间",
            "攻击时间",
            "登录时间",
            "事件时间",
            "起始时间",
            "开始时间",
            "记录时间",
            "采集时间",
        ],
    ),
    (Column::Date, &["date", "day", "incidentdate", "eventdate", "日期", "发生日期"]),
    (Column::Protocol, &["protocol", "proto", "protocolid", "transport", "ipprotocol", "协议", "传输协议", "协议类型"]),
    (
        Column::Remote,
        &[
            "remote",
            "dstip",
            "destip",
            "destinationip",
            "destinationaddress",
            "destinationaddr",
            "destaddress",
            "dstaddr",
            "dst",
            "dest",
            "destination",
            "daddr",
            "server",
            "serverip",
            "serveraddress",
            "target",
            "targetip",
            "targetaddress",
            "victim",
            "victimip",
            "目的ip",
            "目的地址",
            "目的ip地址",
            "目标ip",
            "目标地址",
            "服务器ip",
            "服务器地址",
            "受害ip",
        ],
    ),
    (
        Column::RemotePort,
        &[
            "dstport",
            "destport",
            "destinationport",
            "dport",
            "dpt",
            "serverport",
            "targetport",
            "victimport",
            "目的端口",
            "目标端口",
            "服务器端口",
        ],
    ),
    (Column::Zone, &["zone", "timezone", "tz", "时区"]),
    (Column::Skew, &["skew", "误差"]),
];

/// What a name stands for, and how likely: smaller is likelier.
pub fn column(name: &str) -> Option<(Column, usize)> {
    let name: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).take(32).collect();
    NAMES.iter().find_map(|(column, names)| Some((*column, names.iter().position(|n| *n == name)?)))
}

/// Values found under names.
#[derive(Clone, Debug, Default)]
pub struct Values(Vec<(Column, usize, String)>);

impl Values {
    /// Takes a value, when its name means something.
    pub fn put(&mut self, name: &str, value: &str) -> bool {
        let value = value.trim().trim_matches(['"', '\'']);
        let known = column(name).filter(|_| !value.is_empty() && value != "-");
        // `timestamp (UTC)` names its zone itself.
        let utc = name.to_ascii_lowercase().trim_end_matches([')', ' ', ']']).ends_with("utc");
        if let Some((column, rank)) = known {
            self.0.push((column, rank, value.to_owned()));
            if utc && column == Column::Time {
                self.0.push((Column::Zone, 0, "+00:00".to_owned()));
            }
        }
        known.is_some()
    }

    /// The likeliest value of a column.
    pub fn get(&self, column: Column) -> Option<&str> {
        self.0.iter().filter(|(c, _, _)| *c == column).min_by_key(|(_, rank, _)| *rank).map(|(_, _, v)| v.as_str())
    }

    /// True when there is a value of this column.
    pub fn has(&self, column: Column) -> bool {
        self.get(column).is_some()
    }

    /// True when nothing was taken.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes over what another one has.
    pub fn join(&mut self, other: Values) {
        self.0.extend(other.0);
    }

    /// Columns that both have.
    pub fn overlaps(&self, other: &Values) -> bool {
        self.0.iter().any(|(c, _, _)| other.has(*c))
    }

    /// The end asked about.
    pub fn public(&self) -> Option<End> {
        self.end(Column::Public, Column::Port)
    }

    /// The far end.
    pub fn remote(&self) -> Option<End> {
        self.end(Column::Remote, Column::RemotePort)
    }

    fn end(&self, address: Column, port: Column) -> Option<End> {
        let (address, beside) = ends::whole(self.get(address)?)?;
        let cell = self.get(port).map_or("", str::trim);
        let port = beside.or_else(|| ends::number(cell).map(|(port, _)| port));
        // Logs write 0 where a protocol has no ports.
        let wrong_port = port.is_none() && !cell.is_empty() && cell.bytes().all(|b| b.is_ascii_digit()) && cell.bytes().any(|b| b != b'0');
        Some(End { address, port, wrong_port, span: (0, 0), side: Side::Unsaid })
    }

    /// The moment, read by the zone of its own column where there is one.
    pub fn moment(&self, basis: &Basis) -> Option<Result<Moment, Option<Unclear>>> {
        let zone = self.get(Column::Zone).and_then(zone);
        let own = Basis { zone: zone.clone().unwrap_or_else(|| basis.zone.clone()), now: basis.now };
        let (time, date) = (self.get(Column::Time), self.get(Column::Date));
        let text = match (date, time) {
            (Some(date), Some(time)) if time.len() < 20 && time::whole(time, &own).is_err() => format!("{date} {time}"),
            (_, Some(time)) => time.to_owned(),
            (Some(date), None) => date.to_owned(),
            (None, None) => return None,
        };
        let moment = time::whole(&text, &own).map(|mut moment| {
            if zone.is_some() && !moment.zoned {
                moment.assumed.retain(|a| !a.contains("names no zone"));
                moment.zoned = true;
            }
            moment
        });
        Some(moment)
    }

    /// The protocol, in a word or a number.
    pub fn protocol(&self) -> Option<String> {
        let word = self.get(Column::Protocol)?.split(['(', ' ', '/']).next()?.to_ascii_lowercase();
        weir_attribution::question::parse_protocol(&word).ok().map(weir_attribution::question::protocol_name)
    }

    /// The tolerance stated.
    pub fn skew(&self) -> Option<String> {
        self.get(Column::Skew).filter(|s| weir_base::time::parse_duration_ms(s).is_ok()).map(str::to_owned)
    }
}

/// A zone as an offset.
pub fn zone(text: &str) -> Option<String> {
    let probe =
        time::whole(&format!("2000-01-01 00:00:00 {}", text.trim()), &Basis { zone: "+00:00".to_owned(), now: Default::default() }).ok()?;
    if !probe.zoned {
        return match text.trim() {
            "Asia/Shanghai" | "Asia/Chongqing" | "PRC" => Some("+08:00".to_owned()),
            _ => None,
        };
    }
    let minutes = (weir_base::time::Millis(946_684_800_000).since(probe.at)) / 60_000;
    let sign = if minutes < 0 { '-' } else { '+' };
    Some(format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60))
}

/// Pairs `name=value` and `name="a value"` of a line, and `name: value` where the name means something.
pub fn pairs(line: &str) -> Values {
    let mut values = Values::default();
    for (at, sign) in line.char_indices().filter(|(_, c)| matches!(c, '=' | ':')) {
        let before = line.get(..at).unwrap_or_default();
        let after = line.get(at + 1..).unwrap_or_default();
        let name = if sign == '=' { last_word(before) } else { last_words(before) };
        let value = if sign == '=' { after } else { after.trim_start_matches([' ', '\t']) };
        let Some(name) = name.filter(|n| sign == '=' || !n.is_ascii() || after.starts_with([' ', '\t', '"'])) else { continue };
        values.put(name, value_at(value, sign == ':'));
    }
    values
}

fn last_word(before: &str) -> Option<&str> {
    let before = before.trim_end_matches(['"', ' ']);
    let start = before.rfind(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '@'))).map_or(0, |at| at + 1);
    let start = (start..=before.len()).find(|i| before.is_char_boundary(*i))?;
    before.get(start..).filter(|w| !w.is_empty())
}

/// The longest run of up to three words at the end that means something: `Source IP`, `Timestamp`.
fn last_words(before: &str) -> Option<&str> {
    let before = before.trim_end_matches(['"', ' ']);
    let starts: Vec<usize> = before
        .char_indices()
        .rev()
        .filter(|(_, c)| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '(' | ')')))
        .map(|(at, c)| at + c.len_utf8())
        .take(3)
        .chain([0])
        .collect();
    starts.into_iter().rev().filter_map(|at| before.get(at..)).find(|name| name.len() <= 48 && column(name).is_some())
}

/// A value to its end: a quoted one to its quote; another to the next space, or to the next name and colon where spaces may be in it.
fn value_at(text: &str, spaced: bool) -> &str {
    if let Some(rest) = text.strip_prefix('"') {
        return rest.split('"').next().unwrap_or_default();
    }
    if !spaced {
        return text.split([' ', '\t', ',', ';', ']', '}']).next().unwrap_or_default();
    }
    let line = text.split([';', '|', '\t']).next().unwrap_or(text);
    // Ends where the next name begins.
    let next = line.match_indices(": ").find_map(|(at, _)| {
        let name = last_words(line.get(..at)?)?;
        Some(at - name.len())
    });
    line.get(..next.unwrap_or(line.len())).unwrap_or(line).trim().trim_end_matches(',')
}

/// True for an address that can be asked about.
pub fn askable(address: IpAddr) -> bool {
    !ends::is_private(address)
}
