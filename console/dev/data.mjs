// Fixed data of the development server: a made-up unit, with names and addresses kept for documentation.
export const UNIT = { origin: 'log.example-access.cn/weir-1', kinds: ['access'], demo: true };
const MINUTE = 60_000;
/** A sentence of the program, in both languages. */
export const words = (en, zh) => ({ en, zh });
export const now = () => Date.now();
export const at = (ms) => new Date(ms + 8 * 3_600_000).toISOString().replace('Z', '+08:00');
export const hex = (seed) => Array.from({ length: 32 }, (_, n) => ((seed * 7 + n * n * 13 + n * seed) % 16).toString(16)).join('');
const wave = (n, seed) => Math.max(0, Math.sin(n / 7 + seed) * 0.3 + Math.sin(n / 2.3 + seed * 3) * 0.12 + 1);

export const ROLES = [
  ['system-admin', '系统管理员', 'System administrator', 'overview.read sources.read settings.read settings.change accounts.read accounts.change roles.change approvals.read seal.now import.run break-glass.ask self metrics.read', 'security-admin audit-admin inspector'],
  ['security-admin', '安全管理员', 'Security administrator', 'overview.read sources.read accounts.read accounts.change roles.change approvals.read approvals.confirm settings.read text.open self metrics.read', 'system-admin audit-admin operator inspector'],
  ['audit-admin', '审计管理员', 'Audit administrator', 'overview.read sources.read ledger.read ledger.open accounts.read approvals.read settings.read text.open self', 'system-admin security-admin operator reviewer inspector'],
  ['operator', '操作员', 'Operator', 'overview.read lookup.ask records.read records.export sql.run sources.read seal.now key.show self', 'security-admin audit-admin approver inspector'],
  ['reviewer', '复核员', 'Reviewer', 'overview.read records.read sources.read self', 'audit-admin inspector'],
  ['approver', '审批人', 'Approver', 'overview.read approvals.read approvals.confirm self', 'operator inspector'],
  ['inspector', '检查人员', 'Inspector', 'overview.read sources.read self', 'system-admin security-admin audit-admin operator reviewer approver'],
].map(([name, zh, en, may, never]) => ({ name, zh, en, may: may.split(' '), never_with: never.split(' ') }));

const clause = (id, zh, en) => ({ id, zh, en });
const measure = (name, zh, en, state, why, clauses) => ({ name, zh, en, state, since: at(now() - 3 * 86_400_000), why, clauses, last_drill: null });
export function overview(glass) {
  const t = now();
  return {
    now: at(t), since: at(t - 9 * 86_400_000 - 4_000_000),
    store: { full: false, waiting_rows: 48_213, last_sealed: at(t - 21_000), log_size: 1_284_551, open_mappings: 318_402, open_sessions: 61_233, wal_bytes: 733_000_000, free_bytes: 812_000_000_000, trouble: null },
    measures: [
      measure('radius', 'RADIUS 计费登录与退出记录', 'Login and logout records from RADIUS accounting', 'running', null, [clause('8.2', '日志留存', 'Keeping of logs'), clause('7.3', '登录与退出', 'Sign-in and sign-out')]),
      measure('ipfix', 'IPFIX / NetFlow v9 地址转换记录', 'NAT mappings from IPFIX and NetFlow v9', 'degraded', words('cgn-b: 3 datagrams were lost since 09:14; its sequence numbers jump', 'cgn-b：09:14 起丢失 3 个数据报，序号不连续'), [clause('8.4', '地址转换', 'Address translation')]),
      measure('syslog', '系统维护日志、登录、地址转换与租约 (syslog)', 'Maintenance logs, sign-ins, NAT and leases from syslog', 'running', null, [clause('8.5', '维护日志', 'Maintenance logs')]),
      measure('dhcp', 'DHCP 地址租约记录', 'Address leases from DHCP servers', 'running', null, [clause('8.2', '日志留存', 'Keeping of logs')]),
      measure('host', '本机系统维护日志与登录记录', 'Maintenance logs and sign-ins of the machine Weir runs on', 'stopped', words('the audit log cannot be read: permission denied. Add the account to group adm.', '无法读取审计日志：权限不足。请将运行账户加入 adm 组。'), []),
    ],
    gaps: [
      { source: 3, name: 'cgn-b', from: at(t - 31 * MINUTE), to: at(t - 31 * MINUTE + 900), count: 3, reason: 'sequence' },
      { source: 5, name: 'fw-core-with-a-rather-long-name.north.example', from: at(t - 5 * 3_600_000), to: at(t - 5 * 3_600_000 + 52_000), count: null, reason: 'unknown-template' },
      { source: 1, name: 'bras-a', from: at(t - 26 * 3_600_000), to: at(t - 26 * 3_600_000 + 4 * MINUTE), count: 1284, reason: 'kernel-drop' },
    ],
    notices: [
      { level: 'error', code: 'measure-stopped', text: words('host: the audit log cannot be read: permission denied. Add the account to group adm.', 'host：无法读取审计日志：权限不足。请将运行账户加入 adm 组。'), since: at(t - 3 * 86_400_000) },
      ...(glass ? [{ level: 'error', code: 'break-glass', text: words('An emergency role is open: security-admin until 18:40.', '紧急授权生效中：安全管理员，至 18:40。'), since: at(t - 12 * MINUTE) }] : []),
      { level: 'warning', code: 'measure-degraded', text: words('ipfix: cgn-b lost 3 datagrams since 09:14', 'ipfix：cgn-b 自 09:14 起丢失 3 个数据报'), since: at(t - 31 * MINUTE) },
      { level: 'warning', code: 'source-silent', text: words('bras-c has sent nothing for five minutes.', 'bras-c 已有五分钟没有发送任何内容。'), since: at(t - 17 * MINUTE) },
      { level: 'info', code: 'settings-pending', text: words('2 settings were changed; the next start takes them in.', '有 2 项配置已更改，将在下次启动时生效。'), since: null },
    ],
  };
}
export function series(minutes) {
  const steps = 60;
  const step = (minutes * MINUTE) / steps;
  const t = Math.floor(now() / step) * step;
  const line = (kind, scale, seed) => ({
    kind, records: Array.from({ length: steps }, (_, n) => Math.round(scale * wave(n, seed))), lost: Array.from({ length: steps }, (_, n) => (kind === 'ipfix' && n === 29 ? 3 : 0)),
    malformed: Array.from({ length: steps }, (_, n) => (kind === 'syslog' && n % 17 === 4 ? 2 : 0)),
  });
  return { step_seconds: step / 1000, times: Array.from({ length: steps }, (_, n) => at(t - (steps - 1 - n) * step)), lines: [line('ipfix', 18_400, 1), line('radius', 420, 2), line('syslog', 1900, 3), line('dhcp', 35, 5)], sealed: Array(steps).fill(1e5) };
}
const source = (number, name, kind, realm, peer, profile, state, rate, more = {}) => ({
  number, name, kind, realm, peer, profile, clock: 'measured', since: at(now() - 9 * 86_400_000), state, trouble: null, last_seen: at(now() - (state === 'silent' ? 17 * MINUTE : 400)),
  complete_to: at(now() - 2000), offset_ms: 12, rate, messages: 48_211_034, records: 1_284_551_201, malformed: 0, lost: 0, ignored: 12, unrecognised: 0, duplicates: 4,
  spark: Array.from({ length: 60 }, (_, n) => (state === 'silent' && n > 42 ? 0 : rate * wave(n, number))), ...more,
});
export const SOURCES = [
  source(1, 'bras-a', 'radius', 'home', '192.0.2.1', '', 'ok', 212, { lost: 1284 }),
  source(2, 'cgn-a', 'ipfix', 'home', '192.0.2.11', 'rfc8158', 'ok', 9211),
  source(3, 'cgn-b', 'ipfix', 'home', '192.0.2.12', 'huawei', 'ok', 9120, { lost: 3, offset_ms: -1800 }),
  source(4, 'bras-c', 'radius', 'campus', '192.0.2.3', '', 'silent', 14, { offset_ms: 2_600 }),
  source(5, 'fw-core-with-a-rather-long-name.north.example', 'syslog', 'campus', '2001:db8:1::15', 'iptables', 'trouble', 310, { trouble: words('its template has not come for 40 minutes: records of set 261 cannot be read until it does', '40 分钟未收到模板：收到之前无法解读集合 261 的记录'), malformed: 42, unrecognised: 1270, offset_ms: null }),
  source(6, 'kea', 'dhcp', 'campus', '/var/lib/kea/kea-leases4.csv', 'kea', 'ok', 2, { clock: 'trust', offset_ms: 0 }),
];
export const MALFORMED = [
  { time: at(now() - 90_000), reason: 'set-length', offset: 1284, bytes: 1420, shape: null },
  { time: at(now() - 300_000), reason: 'no-dialect', offset: 0, bytes: 142, shape: '<NN>Aaa NN NN:NN:NN aa-aaaa aaaaaa: AAAA=aaN AAA= AAA=NNN.N.NNN.N AAA=NN' },
];
export const GUIDES = [
  { kind: 'ipfix', vendor: 'Juniper MX (CGNAT)', commands: 'set services rpm ... \nset interfaces ms-1/0/0 services-options syslog host local services any\nset services service-set SS1 jflow-log template-profile weir\nset services jflow-log collector weir destination-address 192.0.2.200 destination-port 4739\nset services jflow-log template-profile weir version ipfix template-type nat refresh-rate packets 1000', note: 'Profile juniper: its numbering turns create into delete.', note_zh: '请使用类型 juniper：其事件编号与标准相反。' },
  { kind: 'radius', vendor: 'Huawei ME60 (BRAS)', commands: 'radius-server group weir\n radius-server accounting 192.0.2.200 1813\n radius-server shared-key cipher <secret>\naccounting interim interval 10', note: 'Send interim updates: they end doubts early.', note_zh: '请启用中间计费更新，可尽早消除不确定。' },
  { kind: 'syslog', vendor: 'Linux iptables (rsyslog)', commands: 'iptables -t nat -A POSTROUTING -m conntrack --ctstate NEW -j LOG --log-prefix "nat "\n*.* action(type="omrelp" target="192.0.2.200" port="2514")', note: 'RELP: a line is acknowledged once it is durable.', note_zh: '使用 RELP：一行写盘后才确认。' },
];
const field = (name, en, zh, unit = '', cls = 'plain') => ({ name, doc: words(en, zh), unit, class: cls });
export const KINDS = [
  { name: 'nat_mapping', doc: words('A NAT mapping from its begin to its end: `natEvent` 4 and 5 (RFC 8158) joined', '一条地址转换映射，从开始到结束：由 `natEvent` 4 与 5（RFC 8158）合并而成'), searchable: false, columns: [field('start', 'Begin', '开始', 'ms UTC'), field('end', 'End', '结束', 'ms UTC'), field('source', 'Number of the source', '来源编号'), field('realm', 'Number of the realm', '地址域编号'), field('public_address', 'Public address', '公网地址'), field('public_port', 'Public port', '公网端口'), field('inside_address', 'Inside address', '内网地址', '', 'identifier'), field('inside_port', 'Inside port', '内网端口'), field('protocol', 'IANA number', 'IANA 协议号'), field('certain', 'Both ends seen', '两端均已见到')] },
  { name: 'radius_session', doc: words('One RADIUS accounting event (RFC 2866)', '一条 RADIUS 计费事件（RFC 2866）'), searchable: false, columns: [field('time', 'When it happened', '发生时间', 'ms UTC'), field('source', 'Source', '来源'), field('status', '`Acct-Status-Type` (RFC 2866, 40)', '`Acct-Status-Type`（RFC 2866，40）'), field('session', 'Id of the session', '会话标识', '', 'identifier'), field('subscriber', 'Opaque id of `User-Name`', '`User-Name` 的替身', '', 'identifier'), field('framed_ipv4', '`Framed-IP-Address`', '`Framed-IP-Address`', '', 'identifier'), field('nas_identifier', '`NAS-Identifier`', '`NAS-Identifier`')] },
  { name: 'gap', doc: words('Records known to be lost', '已知丢失的记录'), searchable: false, columns: [field('time', 'From', '自', 'ms UTC'), field('until', 'To', '至', 'ms UTC'), field('source', 'Source', '来源'), field('lost', 'How many', '数量'), field('reason', 'Why', '原因')] },
  { name: 'maintenance', doc: words('A line of a maintenance log', '一行维护日志'), searchable: true, columns: [field('time', 'When', '时间', 'ms UTC'), field('source', 'Source', '来源'), field('host', 'Host', '主机'), field('program', 'Program', '程序'), field('severity', 'Severity', '级别'), field('line', 'The line, with people replaced', '日志行，其中的人已替换'), field('text', 'Id of the line as it came', '原文的编号'), field('facility', 'Facility', '设施')] },
];
export function rows(kind, to, limit) {
  const end = Math.min(Date.parse(to) || now(), now());
  return Array.from({ length: Math.min(limit, 60) }, (_, n) => {
    const t = end - n * 1733;
    if (kind === 'nat_mapping') return { start: at(t - 18_123), end: n % 9 === 0 ? null : at(t), source: 2, realm: 1, public_address: `203.0.113.${n % 20}`, public_port: 20_000 + n * 37, inside_address: `~${hex(n + 3).slice(0, 20)}`, inside_port: 50_000 + n, protocol: n % 3 === 0 ? 17 : 6, certain: n % 11 !== 4 };
    if (kind === 'radius_session') return { time: at(t), source: 1, status: 1 + (n % 3), session: `~${hex(n).slice(0, 20)}`, subscriber: `~${hex(n % 7).slice(0, 20)}`, framed_ipv4: `~${hex(n + 9).slice(0, 20)}`, nas_identifier: 'bras-a' };
    if (kind === 'gap') return { time: at(t), until: at(t + 900), source: 3, lost: 3, reason: 'sequence' };
    return { time: at(t), source: 5, host: 'fw-core', program: 'sshd', severity: 6, facility: null, text: hex(n + 40), line: n % 5 === 0 ? 'Accepted publickey for ~8c1f from ~77aa port 50122 ssh2: ED25519 SHA256:… and then a very long tail that goes on to show how long text is wrapped in a cell, twice over, so that nothing is cut or overlaps' : 'Connection closed by ~77aa port 50122 [preauth]' };
  });
}
export const SETTINGS = [
  ['unit.origin', '"log.example-access.cn/weir-1"', '"unnamed.invalid"', 'file', words('the name of the transparency log; it never changes once the log has begun', '透明日志的名称；日志开始后不再改变'), false, false],
  ['unit.kinds', '["access"]', '[]', 'file', words('access, information, datacenter, venue, user', 'access、information、datacenter、venue、user 之一或多个'), true, true],
  ['store.seal_every', '"30s"', '"60s"', 'desk', words('1s to 60s', '1s 至 60s'), true, false],
  ['store.unit_rows', '25165824', '25165824', 'default', words('a number', '一个数'), true, false],
  ['store.wal_bytes', '8589934592', '8589934592', 'default', words('bytes', '字节数'), true, true],
  ['store.memory_bytes', '0', '0', 'default', words('bytes; 0: half of what there is', '字节数；0 表示可用内存的一半'), true, true],
  ['measures.radius', 'true', 'true', 'default', words('true or false', 'true 或 false'), true, true],
  ['measures.conntrack', 'false', 'false', 'default', words('true or false', 'true 或 false'), true, true],
  ['sources.radius.listen', '["0.0.0.0:1813"]', '["127.0.0.1:1813"]', 'file', words('addresses with ports', '带端口的地址'), true, true],
  ['sources.radius.clients', '[{ addresses = ["192.0.2.1", "198.51.100.0/24"], secret_file = "/etc/weir/bras.secret", realm = "default", interim = "10m" }]', '[]', 'file', words('a list of tables: addresses, secret_file, realm, interim, …', '表的列表：addresses、secret_file、realm、interim……'), true, true],
  ['sources.syslog.zone', '"+08:00"', '"+08:00"', 'default', words('a zone such as +08:00', '时区，如 +08:00'), true, false],
  ['sources.syslog.listen', '["0.0.0.0:514"]', '[]', 'set', words('addresses with ports', '带端口的地址'), true, true],
  ['sources.h3c.layouts', '[]', '[]', 'default', words('a list of tables, each with [[…]] above its keys', '表的列表，每个表在其键之前写 [[…]]'), true, true],
  ['desk.listen', '["127.0.0.1:8443"]', '["127.0.0.1:8443"]', 'default', words('addresses with ports', '带端口的地址'), false, false],
].map(([path, value, def, origin, shape, editable, two]) => ({ path, value, default: def, origin, shape, editable, two_persons: two }));

/** One answer of each sort, chosen by the port asked about. */
export function answer(q) {
  const [, address, port] = /^\[?(.+?)\]?(?::(\d+))?$/.exec(q.public.includes('.') ? q.public : q.public) ?? [];
  const t = Date.parse(q.at);
  if (!Number.isFinite(t)) return { error: { what: words(`'${q.at}' is no time`, `“${q.at}”不是时间`), todo: words('Write it as 2026-11-22T10:00:00.123+08:00.', '请写作 2026-11-22T10:00:00.123+08:00。') } };
  const mapping = (certain, start, end, from = 'cgn-a') => ({ kind: 'session', start: start === null ? null : at(t - start), end: end === null ? null : at(t + end), certain, source: from });
  const session = (id, certain, end) => ({ id, start: at(t - 3_600_000), end: end === null ? null : at(t + end), inferred: false, nas: '192.0.2.1', certain, record: hex(100) });
  const clock = (name, offset = 12, degraded = false) => ({ source: name, offset_ms: offset, asked_at: at(t + (degraded ? offset : 0)), tolerance: q.skew ?? '2s', basis: 'measured', degraded });
  const base = { asked: { public: address, port: port ? Number(port) : null, protocol: q.protocol ?? null, at: at(t), remote: q.remote ?? null }, gaps: [], clocks: [clock('cgn-a'), clock('nas-a', 0)], skew: q.skew ?? '2s', candidates_left: 0, gaps_left: 0 };
  const one = { realm: 'home', subscriber: hex(12), inside: { address: '100.64.0.12', port: 50_012 }, mapping: mapping(true, 9000, 9123), session: session('acct-12', true, null) };
  const two = { realm: 'home', subscriber: hex(31), inside: { address: '100.64.3.77', port: 1025 }, mapping: mapping(true, 1200, 40_000), session: session('acct-77', true, 900_000) };
  switch (Number(port ?? 0) % 10) {
    case 1: return { ...base, answer: 'none', code: 'unused', candidates: [], reason: 'nobody held it: no mapping or session covers the moment, and nothing was lost from the last evidence before to the moment', reason_zh: '无人持有：该时刻没有映射或会话覆盖，且自此前最后的证据起没有丢失' };
    case 2: return { ...base, answer: 'several', code: 'passed-on', candidates: [{ ...one, mapping: mapping(true, 30_000, -1000) }, two], reason: 'the port passed from one inside end to another within the tolerance', reason_zh: '该端口在容差之内由一个内网端转给另一个' };
    case 3: return { ...base, answer: 'unknown', code: 'gap', candidates: [{ ...one, mapping: mapping(false, 9000, null) }], gaps: [{ source: 'cgn-a', start: at(t - 5000), end: at(t - 4001), lost: 3, id: hex(7) }], reason: 'records of cgn-a were lost between the last evidence and the moment, so the inside end listed need not have held it', reason_zh: 'cgn-a 在最后的证据与该时刻之间丢失了记录，因此列出的内网端未必持有它' };
    case 4: return { ...base, answer: 'unknown', code: 'session-in-doubt', candidates: [{ ...one, mapping: { ...mapping(true, 9000, 9123), start: at(t - 9000 - 1_800_000), end: at(t + 9123 - 1_800_000) }, session: session('acct-12', false, null) }], clocks: [clock('cgn-a', -1_800_000, true), clock('nas-a', 0)], reason: 'the inside end is known, but nas-a has been silent since before the moment', reason_zh: '内网端已知，但 nas-a 在该时刻之前就已静默' };
    case 5: return { ...base, answer: 'one', code: 'holder-no-session', candidates: [{ ...one, subscriber: null, session: null }], reason: 'cgn-a had mapped it to one inside end, but no session of realm home held that end, so the subscriber is not known', reason_zh: 'cgn-a 将其映射到一个内网端，但地址域 home 中没有会话持有该端，因此用户未知' };
    default: return { ...base, answer: 'one', code: 'holder', candidates: [one], reason: 'cgn-a had mapped it to one inside end, and nas-a names the one session that held that end', reason_zh: 'cgn-a 将其映射到一个内网端，nas-a 指明了持有该端的唯一会话' };
  }
}
