// A development tool: serves the built console with made-up data in the shapes of the API, under the strict policy of the program.
// It is no part of the program and knows nothing. `node dev/server.mjs [--port N] [--setup] [--fail PATH] [--slow MS] [--empty] [--glass]`
import { createHmac, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, normalize } from 'node:path';
import * as data from './data.mjs';

const option = (name) => { const i = process.argv.indexOf(`--${name}`); return i < 0 ? null : (process.argv[i + 1] ?? ''); };
const flag = (name) => process.argv.includes(`--${name}`);
const dist = new URL('../dist', import.meta.url).pathname;
const PASSWORD = 'correct horse battery';
const SECRET = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';

const accounts = new Map();
const sessions = new Map();
/** Log lines as they came, by their ids. */
const LINES = new Map(Array.from({ length: 60 }, (_, n) => [data.hex(n + 40), 'Nov 22 10:00:00 fw-core sshd[7]: Accepted publickey for alice from 192.0.2.7 port 50122 ssh2']));
const invitations = new Map();
const used = new Set();
const approvals = new Map();
const tokens = [];
const keys = new Map();
let failures = 0;
const WAITS = data.words('Another person (security-admin or approver) confirms it on the page Approvals.', '请由另一人员（安全管理员 security-admin 或审批人 approver）在审批页确认。');
const AGAIN_AFTER = 10 * 60_000;
const id = () => randomBytes(16).toString('hex');
const account = (login, display, roles, more = {}) => {
  const made = { id: id(), person: id(), login, display, roles, state: 'active', second_factor: true, since: data.at(data.now() - 86_400_000 * 40), last_sign_in: data.at(data.now() - 3_600_000), locked_until: null, password: PASSWORD, totp: SECRET, passkeys: [], ...more };
  accounts.set(made.id, made);
  return made;
};
const setup = flag('setup') ? id() : null;
if (setup) invitations.set(setup, { display: null, roles: ['system-admin'], recovers: null, code: null, wrong: 0 });
else {
  const sys = account('sysadmin', '林晓', ['system-admin']);
  const sec = account('secadmin', '周正', ['security-admin']);
  account('audit', '何静', ['audit-admin']);
  account('operator', '王磊', ['operator']);
  account('reviewer', '赵敏', ['reviewer']);
  account('approver', '陈立', ['approver']);
  account('inspector', '检查组', ['inspector']);
  account('', 'Somebody With A Very Long Name Who Has Not Accepted Yet', ['reviewer'], { state: 'invited', second_factor: false, last_sign_in: null });
  account('', '李强', ['operator'], { state: 'link-ended', second_factor: false, last_sign_in: null });
  account('locked', '孙悦', ['operator'], { state: 'locked', locked_until: data.at(data.now() + 600_000), person: sec.person });
  account('gone', '吴刚', ['operator'], { state: 'disabled' });
  ask(sys, 'account-create', { display: '钱多', roles: ['operator', 'reviewer'] }, '值班表扩充，新增一名操作员');
  ask(sys, 'setting-change', { changes: { 'store.wal_bytes': '17179869184', 'sources.syslog.zone': null } }, '磁盘扩容后放宽预写日志');
  const done = ask(sys, 'account-recover', { account: sys.id, display: '林晓' }, 'Lost telephone, identity checked in person by two colleagues');
  Object.assign(done, { state: 'used', steps: [...done.steps, { actor: sec.id, display: sec.display, time: data.at(data.now()), what: 'confirmed', reason: null }, { actor: sys.id, display: sys.display, time: data.at(data.now()), what: 'used', reason: null }] });
  ask(sec, 'break-glass', { role: 'system-admin', minutes: 30 }, '系统管理员失联，需要恢复接收');
}

function ask(by, kind, content, reason) {
  const made = { id: id(), kind, state: 'waiting', content, digest: randomBytes(32).toString('hex'), reason, asked_by: by.id, asked_by_display: by.display, asked_at: data.at(data.now() - 1_200_000), expires: data.at(data.now() + 80_000_000), needed: kind === 'break-glass' ? 2 : 1, steps: [{ actor: by.id, display: by.display, time: data.at(data.now() - 1_200_000), what: 'asked', reason: data.words(reason, reason) }] };
  approvals.set(made.id, made);
  return made;
}
function codes(secret) {
  const bits = [...secret].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => Number.parseInt(b, 2)));
  return [-1, 0, 1].map((d) => {
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + d));
    const mac = createHmac('sha1', key).update(counter).digest();
    return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0');
  });
}
const may = (a) => [...new Set([...a.roles, ...(a.emergency ? [a.emergency.role] : [])].flatMap((r) => data.ROLES.find((x) => x.name === r)?.may ?? []))];
const strict = (a) => a.roles.length > 0;
const keeps = (a, left) => { if (left === 0 && strict(a)) refuse(409, 'conflict', 'An account with a role keeps a second factor: set another one up first.', 'Look at what is there now, then ask again.'); };
const isSetup = () => ['system-admin', 'security-admin', 'audit-admin'].some((r) => ![...accounts.values()].some((a) => a.state === 'active' && a.roles.includes(r)));

class Problem extends Error { constructor(status, code, detail, todo, more = {}) { super(detail); Object.assign(this, { status, body: { type: `urn:weir:problem:${code}`, title: code, status, detail, todo, ...more } }); } }
const refuse = (...args) => { throw new Problem(...args); };

function viewApproval(a, me) {
  const mine = a.asked_by === me.id || accounts.get(a.asked_by)?.person === me.person;
  const can = may(me).includes('approvals.confirm');
  const { code: _, subject, ...rest } = a;
  return { ...rest, may_confirm: a.state === 'waiting' && can && !mine, why_not: can && mine ? data.words('You asked for this yourself.', '这是您本人提出的申请。') : null };
}
function invite(body, code = null, recovers = null) {
  const token = id();
  invitations.set(token, { display: body.display ?? null, roles: body.roles, recovers, code, wrong: 0 });
  return token;
}
/** Eight characters by Crockford, and how they are compared however they were typed. */
const newCode = () => [...randomBytes(8)].map((b) => '0123456789ABCDEFGHJKMNPQRSTVWXYZ'[b % 32]).join('').replace(/^(.{4})/, '$1-');
const plainCode = (text) => text.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1');
const voided = new Set();
function linkOf(token) {
  if (voided.has(token)) refuse(410, 'link-void', 'This link is void: wrong codes were given with it, or its account was disabled.', 'Ask an administrator for a new one: two persons decide on it anew.');
  if (used.has(token)) refuse(410, 'link-used', 'This link was used: it opens once.', 'Sign in by name. Was it not you, ask an administrator: two persons decide anew.');
  return invitations.get(token) ?? refuse(401, 'wrong-credentials', 'What was given does not sign anybody in.', 'Check what was typed and try again.');
}
function takeLink(b) {
  const link = linkOf(b.token);
  if (link.code && !b.code) refuse(403, 'code-needed', 'This link works only with its code.', 'Ask the person who confirmed the link for its eight characters.', { field: 'code' });
  if (link.code && plainCode(b.code) !== plainCode(link.code)) {
    link.wrong += 1;
    if (link.wrong >= 5) voided.add(b.token);
    refuse(403, 'code-wrong', 'The code does not fit this link.', 'Type it as it was told, or ask whoever confirmed the link.', { field: 'code' });
  }
  invitations.delete(b.token);
  used.add(b.token);
  return link;
}
/** What comes of a request that enough persons confirmed; the code that is the other half of its link. */
function perform(a) {
  a.state = a.kind === 'setting-change' ? 'confirmed' : 'used';
  if (a.kind === 'break-glass') accounts.get(a.asked_by).emergency = { role: a.content.role, until: data.at(data.now() + a.content.minutes * 60_000), approval: a.id };
  a.has_result = ['account-create', 'account-recover'].includes(a.kind);
  if (a.has_result) a.code = newCode();
  return a.code ?? null;
}
const emergencies = () => [...accounts.values()].filter((a) => a.emergency);
const fresh = (s) => { if (data.now() - (s.proved ?? 0) > AGAIN_AFTER) refuse(403, 'sign-in-again', 'The last sign-in is more than ten minutes old.', 'Sign in again, then repeat it.'); };
const shown = ({ password, totp, passkeys, emergency, subjects, ...a }) => a;

/** Routes: method and pattern → what to answer. `s` is the session, `me` its account, `b` the body, `q` the query, `m` the match. */
const ROUTES = [
  ['GET', /^\/session$/, ({ s, me }) => ({ account: me && !s.next ? { id: me.id, login: me.login, display: me.display, roles: me.roles, may: may(me), waiting: [...approvals.values()].filter((a) => viewApproval(a, me).may_confirm).length, emergency: me.emergency ? { role: me.emergency.role, until: me.emergency.until, approval: me.emergency.approval } : null } : null, next: s.next ?? null, csrf: s.csrf, idle_seconds: me ? 1800 : null, setup: accounts.size === 0, providers: [{ name: 'campus', title: '统一身份认证 Campus SSO' }], unit: data.UNIT, version: '0.0.1-dev' })],
  ['POST', /^\/session\/password$/, ({ s, b }) => {
    const a = [...accounts.values()].find((x) => x.login === b.login && x.password === b.password && x.state === 'active');
    if (!a) { failures += 1; if (failures > 2) refuse(429, 'locked', 'Too many sign-ins failed with this name: it waits for a moment.', 'Wait 14 s, then try again: it ends by itself.', { retry_after: 14 }); refuse(401, 'wrong-credentials', 'What was given does not sign anybody in.', 'Check what was typed and try again.'); }
    failures = 0;
    s.proved = data.now();
    s.account = a.id; s.next = a.totp ? 'totp' : a.passkeys.length ? 'passkey' : strict(a) ? 'enrol' : null;
    return { next: s.next };
  }],
  ['POST', /^\/session\/totp$/, ({ s, b }) => { const a = accounts.get(s.account); if (!a || !codes(a.totp).includes(b.code)) refuse(401, 'wrong-credentials', 'What was given does not sign anybody in.', 'Check what was typed and try again.'); s.next = null; return {}; }],
  ['POST', /^\/session\/passkey\/begin$/, () => ({ public_key: { challenge: randomBytes(32).toString('base64url'), rpId: 'localhost', allowCredentials: [], userVerification: 'required', timeout: 60_000 } })],
  ['POST', /^\/session\/passkey\/finish$/, ({ s, b }) => { const a = keys.get(b.credential.id); if (!a) refuse(401, 'wrong-credentials', 'What was given does not sign anybody in.', 'Check what was typed and try again.'); s.account = a; s.next = null; s.proved = data.now(); return {}; }],
  ['DELETE', /^\/session$/, ({ s }) => { s.account = null; s.next = null; return {}; }],
  ['POST', /^\/invitations\/open$/, ({ b }) => { const link = linkOf(b.token); return { display: link.display, recovers: link.recovers !== null, code_needed: link.code !== null, expires: data.at(data.now() + 86_400_000) }; }],
  ['POST', /^\/invitations\/accept$/, ({ s, b }) => {
    const found = takeLink(b);
    s.proved = data.now();
    if (found.recovers) { Object.assign(found.recovers, { password: b.password, display: b.display, totp: null, passkeys: [], second_factor: false }); s.account = found.recovers.id; s.next = strict(found.recovers) ? 'enrol' : null; return {}; }
    const a = account(b.login, b.display, found.roles, { password: b.password, totp: null, second_factor: false, since: data.at(data.now()) });
    s.account = a.id; s.next = strict(a) ? 'enrol' : null;
    return {};
  }],
  ['GET', /^\/me\/factors$/, ({ me }) => ({ password: true, totp: Boolean(me.totp), passkeys: me.passkeys, providers: Object.keys(me.subjects ?? {}) }), 'self'],
  ['POST', /^\/me\/totp\/begin$/, ({ s }) => { fresh(s); s.secret = [...randomBytes(32)].map((b) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[b % 32]).join(''); return { secret: s.secret, uri: `otpauth://totp/Weir:me?secret=${s.secret}&issuer=Weir&algorithm=SHA1&digits=6&period=30` }; }, 'half'],
  ['POST', /^\/me\/totp\/finish$/, ({ s, me, b }) => { fresh(s); if (!codes(s.secret).includes(b.code)) refuse(400, 'bad-request', 'The code does not fit.', 'Give the code that the app shows now.', { field: 'code' }); me.totp = s.secret; me.second_factor = true; s.next = null; return {}; }, 'half'],
  ['DELETE', /^\/me\/totp$/, ({ s, me }) => { fresh(s); keeps(me, me.passkeys.length); me.totp = null; return {}; }, 'self'],
  ['POST', /^\/me\/passkeys\/begin$/, ({ s, me }) => (fresh(s), { public_key: { challenge: randomBytes(32).toString('base64url'), rp: { id: 'localhost', name: 'Weir' }, user: { id: Buffer.from(me.id, 'hex').toString('base64url'), name: me.login, displayName: me.display }, pubKeyCredParams: [{ type: 'public-key', alg: -7 }, { type: 'public-key', alg: -8 }, { type: 'public-key', alg: -257 }], authenticatorSelection: { residentKey: 'required', userVerification: 'required' }, attestation: 'none', excludeCredentials: me.passkeys.map((p) => ({ type: 'public-key', id: p.id })) } }), 'half'],
  ['POST', /^\/me\/passkeys\/finish$/, ({ s, me, b }) => { fresh(s); keys.set(b.credential.id, me.id); me.passkeys.push({ id: b.credential.id, name: b.name ?? '', since: data.at(data.now()), used: null }); me.second_factor = true; s.next = null; return {}; }, 'half'],
  ['DELETE', /^\/me\/passkeys\/(.+)$/, ({ s, me, m }) => { fresh(s); keeps(me, me.passkeys.length - 1 + (me.totp ? 1 : 0)); keys.delete(m[1]); me.passkeys = me.passkeys.filter((p) => p.id !== decodeURIComponent(m[1])); return {}; }, 'self'],
  ['POST', /^\/me\/password$/, ({ s, me, b }) => { fresh(s); if (me.password !== b.old) refuse(401, 'wrong-credentials', 'The password now is another one.', 'Type it again.', { field: 'old' }); me.password = b.new; return {}; }, 'self'],
  ['POST', /^\/me\/again$/, ({ s, me, b }) => {
    if (me.password !== b.password) refuse(401, 'wrong-credentials', 'What was given does not sign anybody in.', 'Check what was typed and try again.');
    if (me.totp ? !b.code : me.passkeys.length > 0) refuse(401, 'factor-needed', 'The sign-in is not complete: a second factor is missing.', 'Give the code or the passkey, or set one up.');
    if (me.totp && !codes(me.totp).includes(b.code)) refuse(401, 'wrong-credentials', 'What was given does not sign anybody in.', 'Check what was typed and try again.');
    s.proved = data.now();
    return {};
  }, 'self'],
  ['POST', /^\/me\/again\/passkey\/begin$/, ({ me }) => ({ public_key: { challenge: randomBytes(32).toString('base64url'), rpId: 'localhost', allowCredentials: me.passkeys.map((p) => ({ type: 'public-key', id: p.id })), userVerification: 'required', timeout: 60_000 } }), 'self'],
  ['POST', /^\/me\/again\/passkey\/finish$/, ({ s, me, b }) => { if (keys.get(b.credential.id) !== me.id) refuse(401, 'wrong-credentials', 'What was given does not sign anybody in.', 'Check what was typed and try again.'); s.proved = data.now(); return {}; }, 'self'],
  ['DELETE', /^\/me\/oidc\/(\w+)$/, ({ s, me, m }) => { fresh(s); delete me.subjects?.[m[1]]; return {}; }, 'self'],
  ['GET', /^\/me\/sessions$/, () => [{ id: '1', since: data.at(data.now() - 4e6), used: data.at(data.now()), address: '192.0.2.77', agent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36', current: true }, { id: '2', since: data.at(data.now() - 9e6), used: data.at(data.now() - 8e5), address: '2001:db8::77', agent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X)', current: false }], 'self'],
  ['DELETE', /^\/me\/sessions\/(.+)$/, () => ({}), 'self'],
  ['GET', /^\/me\/tokens$/, () => tokens, 'self'],
  ['POST', /^\/me\/tokens$/, ({ s, b }) => { fresh(s); const made = { id: id(), name: b.name, scope: b.scope, expires: data.at(data.now() + b.days * 86_400_000), used: null }; tokens.push(made); return { ...made, secret: `weir_${randomBytes(32).toString('base64url')}` }; }, 'self'],
  ['DELETE', /^\/me\/tokens\/(.+)$/, ({ s, m }) => { fresh(s); const at = tokens.findIndex((k) => k.id === m[1]); if (at >= 0) tokens.splice(at, 1); return {}; }, 'self'],
  ['GET', /^\/overview$/, () => { const o = data.overview(flag('glass') || emergencies().length > 0); return flag('empty') ? { ...o, gaps: [], notices: [], measures: [] } : o; }, 'overview.read'],
  ['GET', /^\/overview\/series$/, ({ q }) => (flag('empty') ? { ...data.series(60), lines: [] } : data.series(Number(q.get('minutes') ?? 60))), 'overview.read'],
  ['POST', /^\/lookup\/read$/, ({ b }) => ({ lines: b.text.split('\n').map((text, n) => read(text, n + 1)).filter(Boolean) }), 'lookup.ask'],
  ['POST', /^\/lookup$/, ({ b }) => ({ answers: b.questions.map(data.answer) }), 'lookup.ask'],
  ['GET', /^\/records\/kinds$/, () => data.KINDS, 'records.read'],
  ['POST', /^\/records\/search$/, ({ b }) => {
    const kind = data.KINDS.find((k) => k.name === b.kind) ?? refuse(404, 'not-found', 'There is no such kind.', 'See /records/kinds.');
    const words = (b.match ?? '').toLowerCase().split(/\s+/).filter(Boolean);
    const rows = flag('empty') ? [] : data.rows(kind.name, b.to, 60).filter((r) => words.every((w) => String(r.line ?? '').toLowerCase().includes(w)));
    return { columns: kind.columns.map((c) => c.name), rows, more: rows.length >= 60 };
  }, 'records.read'],
  ['POST', /^\/records\/(\w+)\/text$/, ({ m, b }) => {
    if ((b.reason ?? '').trim().length < 4) refuse(400, 'bad-request', 'The reason is too short.', 'Say why, in 4 to 200 characters.', { field: 'reason' });
    return { text: LINES.has(m[1]) ? LINES.get(m[1]) : refuse(404, 'not-found', 'There is no such line at this time.', 'Take id and time from the line\'s record, columns text and time.') };
  }, 'text.open'],
  ['POST', /^\/sql$/, ({ b }) => (/select/i.test(b.statement) ? { columns: ['source', 'rows', 'first', 'last'], rows: [2, 3, 5].map((n) => ({ source: n, rows: 9_211_034 * n, first: data.at(data.now() - 8e8), last: data.at(data.now()) })), cut: true } : refuse(400, 'bad-request', `the statement is no SELECT: ${b.statement.slice(0, 30)}`, 'Write one SELECT over the views.', { field: 'statement' })), 'sql.run'],
  ['GET', /^\/sources$/, () => (flag('empty') ? [] : data.SOURCES), 'sources.read'],
  ['GET', /^\/sources\/guides$/, () => data.GUIDES, 'sources.read'],
  ['GET', /^\/sources\/(\d+)\/malformed$/, ({ m }) => (m[1] === '5' ? data.MALFORMED : []), 'sources.read'],
  ['GET', /^\/ledger$/, ({ me }) => ({ entries: flag('empty') ? [] : Array.from({ length: 24 }, (_, n) => ({ id: data.hex(n), time: data.at(data.now() - n * 734_000), actor: n % 6 === 4 ? 'uid:1000' : n % 7 === 3 ? `token:${data.hex(2)}` : `account:${me.id}`, display: n % 6 === 4 ? null : '王磊', purpose: ['operate', 'security-event', '配合安全事件处置，核对三个地址的使用情况'][n % 3], act: ['lookup', 'records', 'lookup-batch', 'sql', 'export', 'text'][n % 6], answer: ['one', 'rows', 'unknown', 'rows', 'refused', 'none'][n % 6], rows: n * 3, offline: n % 11 === 5 })), more: false }), 'ledger.read'],
  ['POST', /^\/ledger\/(.+)\/open$/, () => ({ target: '203.0.113.7:40123 tcp 2026-11-22T10:00:00.123+08:00 ±2s' }), 'ledger.open'],
  ['GET', /^\/accounts$/, () => [...accounts.values()].map(shown), 'accounts.read'],
  ['POST', /^\/accounts$/, ({ me, b }) => (isSetup() ? { state: 'done', approval: null, link: invite(b) } : { state: 'waits', approval: ask(me, 'account-create', { display: b.display, roles: b.roles }, b.reason).id, link: null, remark: WAITS }), 'accounts.change'],
  ['POST', /^\/accounts\/(\w+)\/(recover|disable|enable|unlock|roles)$/, ({ me, m, b }) => {
    const a = accounts.get(m[1]);
    if (m[2] === 'disable') { a.state = 'disabled'; return { state: 'done', approval: null, link: null }; }
    if (m[2] === 'unlock') { Object.assign(a, { state: 'active', locked_until: null }); return { state: 'done', approval: null, link: null }; }
    const kind = { recover: 'account-recover', enable: 'account-enable', roles: 'role-change' }[m[2]];
    return { state: 'waits', approval: ask(me, kind, { account: a.id, display: a.display, ...(b.roles ? { roles: b.roles } : {}) }, b.reason).id, link: null, remark: WAITS };
  }, 'accounts.change'],
  ['GET', /^\/roles$/, () => data.ROLES, 'self'],
  ['GET', /^\/approvals$/, ({ me }) => (flag('empty') ? [] : [...approvals.values()].filter((a) => may(me).includes('approvals.read') || a.asked_by === me.id).map((a) => viewApproval(a, me)).reverse()), 'self'],
  ['POST', /^\/approvals\/(\w+)\/(confirm|refuse|withdraw)$/, ({ me, m, b }) => {
    const a = approvals.get(m[1]);
    if (m[2] === 'confirm' && b.digest !== a.digest) refuse(409, 'conflict', 'The content is not the one that was asked for.', 'Look at it again.');
    a.steps.push({ actor: me.id, display: me.display, time: data.at(data.now()), what: { confirm: 'confirmed', refuse: 'refused', withdraw: 'withdrawn' }[m[2]], reason: b.reason ? data.words(b.reason, b.reason) : null });
    if (m[2] !== 'confirm') { a.state = m[2] === 'refuse' ? 'refused' : 'withdrawn'; return viewApproval(a, me); }
    const code = a.steps.filter((s) => s.what === 'confirmed').length >= a.needed ? perform(a) : null;
    return { ...viewApproval(a, me), code };
  }, 'self'],
  ['GET', /^\/approvals\/(\w+)\/result$/, ({ m }) => { const a = approvals.get(m[1]); a.has_result = false; return { state: 'done', approval: m[1], link: invite({ display: a.content.display, roles: a.content.roles ?? ['operator'] }, a.code, a.kind === 'account-recover' ? accounts.get(a.content.account) : null) }; }, 'self'],
  ['POST', /^\/break-glass$/, ({ me, b }) => ({ state: 'waits', approval: ask(me, 'break-glass', { role: b.role, minutes: b.minutes }, b.reason).id, link: null, remark: WAITS }), 'break-glass.ask'],
  ['POST', /^\/break-glass\/end$/, ({ me }) => { delete me.emergency; return {}; }, 'self'],
  ['GET', /^\/settings$/, () => ({ values: data.SETTINGS, pending: [{ path: 'store.seal_every', old: '"60s"', new: '"30s"', two_persons: false }] }), 'settings.read'],
  ['POST', /^\/settings\/check$/, ({ b }) => check(b.changes), 'settings.change'],
  ['POST', /^\/settings$/, ({ me, b }) => (check(b.changes).two_persons && !b.approval ? { state: 'waits', approval: ask(me, 'setting-change', { changes: b.changes }, b.reason).id, link: null, remark: WAITS } : { state: 'done', approval: null, link: null }), 'settings.change'],
  ['POST', /^\/seal$/, () => ({}), 'seal.now'],
];
function check(changes) {
  const differences = Object.entries(changes).map(([path, next]) => { const s = data.SETTINGS.find((x) => x.path === path); return { path, old: s.value, new: next, two_persons: s.two_persons }; });
  return { differences, problems: differences.filter((d) => d.new !== null && /^-/.test(d.new)).map((d) => ({ path: d.path, text: data.words(`${d.new} is below 0: give ${data.SETTINGS.find((x) => x.path === d.path).shape.en}`, `${d.new} 小于 0：应为${data.SETTINGS.find((x) => x.path === d.path).shape.zh}`) })), two_persons: differences.some((d) => d.two_persons) };
}
function read(text, line) {
  if (!text.trim()) return null;
  const end = /(\d{1,3}(?:\.\d{1,3}){3})(?::(\d+))?/.exec(text);
  const time = /(\d{4})-(\d\d)-(\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d+)?)\s*(Z|[+-]\d\d:\d\d)?/.exec(text);
  if (!end || !time) return { line, question: null, form: 'plain', assumed: [], problem: end ? data.words('no time in it: write it as 203.0.113.7:40123 2026-11-22 10:00:00', '其中没有时间：请写作 203.0.113.7:40123 2026-11-22 10:00:00') : data.words('no address in it: write it as 203.0.113.7:40123 2026-11-22 10:00:00', '其中没有地址：请写作 203.0.113.7:40123 2026-11-22 10:00:00') };
  if (Number(end[2] ?? 0) > 65_535) return { line, question: null, form: 'plain', assumed: [], problem: data.words('a port is 1 to 65535: write it as 203.0.113.7:40123 2026-11-22 10:00:00', '端口应为 1 至 65535：请写成 203.0.113.7:40123 2026-11-22 10:00:00') };
  const protocol = /\b(tcp|udp|icmp)\b/i.exec(text)?.[1].toLowerCase() ?? null;
  return { line, question: { public: end[0], at: `${time[1]}-${time[2]}-${time[3]}T${time[4].includes('.') ? time[4] : `${time[4]}.000`}${time[5] ?? '+08:00'}`, ...(protocol ? { protocol } : {}) }, form: text.includes(',') ? 'csv' : 'plain', assumed: time[5] ? [] : [data.words('the time names no zone: +08:00 is taken', '时间未写时区，按 +08:00 计')], problem: null };
}

const TYPES = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.html': 'text/html; charset=utf-8', '.txt': 'text/plain; charset=utf-8' };
/** The console's pages, as its router has them; the program has the same list. */
const PAGES = /PAGES = \[([^\]]+)\]/.exec(readFileSync(new URL('../src/app/pages.ts', import.meta.url), 'utf8'))[1].match(/[a-z/*]+/g);
const isPage = (path) => ['', 'index.html'].includes(path) || PAGES.some((p) => new RegExp(`^${p.replace('*', '[^/]+')}$`).test(path));
function page(path, response, takes) {
  const nonce = randomBytes(16).toString('base64');
  const headers = {
    'Content-Security-Policy': `default-src 'none'; script-src 'self'; style-src 'self' 'nonce-${nonce}'; img-src 'self'; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer', 'Cache-Control': 'no-cache',
  };
  const shown = isPage(path.replace(/^\//, '').replace(/\/$/, ''));
  const file = extname(path) && existsSync(`${dist}${normalize(path)}`) ? normalize(path) : '/index.html';
  const packed = /\bbr\b/.test(takes ?? '') && existsSync(`${dist}${file}.br`);
  if (file.startsWith('/assets/')) headers['Cache-Control'] = 'public, max-age=31536000, immutable';
  if (packed) headers['Content-Encoding'] = 'br';
  try {
    let body = readFileSync(`${dist}${file}${packed ? '.br' : ''}`);
    if (file === '/index.html') body = Buffer.from(body.toString().replace('__CSP_NONCE__', nonce));
    response.writeHead(file === '/index.html' && !shown ? 404 : 200, { ...headers, 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream' }).end(body);
  } catch {
    response.writeHead(404, headers).end();
  }
}
/** What gives the session a new cookie, as in the program: signing in, and a change of factors. */
const RENEWS = /^\/(session\/.*|me\/(totp|passkeys)\/finish|me\/(totp|passkeys\/[^/]+|oidc\/\w+)|me\/password|me\/again(\/passkey\/finish)?)$/;
async function api(request, response, url) {
  const cookie = /weir=(\w+)/.exec(request.headers.cookie ?? '')?.[1];
  const sid = cookie && sessions.has(cookie) ? cookie : id();
  if (!sessions.has(sid)) sessions.set(sid, { csrf: id(), account: null, next: null });
  const s = sessions.get(sid);
  const me = s.account ? accounts.get(s.account) : null;
  const headers = { 'Content-Type': 'application/json', 'Set-Cookie': `weir=${sid}; HttpOnly; SameSite=Strict; Path=/` };
  try {
    let text = '';
    for await (const part of request) text += part;
    const path = url.pathname.slice('/api/v1'.length);
    if (request.method !== 'GET' && request.headers['x-weir-csrf'] !== s.csrf) refuse(403, 'csrf', 'The request does not carry the token of its session.', 'Reload the page.');
    if (option('fail') && path.startsWith(option('fail')) && path !== '/session') refuse(503, 'unavailable', 'The disk is full: nothing is taken in until there is room (fixture).', 'Make room on the disk of the data folder, then try again.');
    if (option('slow') && path !== '/session') await new Promise((go) => setTimeout(go, Number(option('slow'))));
    if (path === '/records/export') return await stream(response, JSON.parse(text));
    if (/\/oidc\/campus\/(begin|link|callback)$/.test(path)) return flow(response, path, url, { s, me, headers });
    for (const [method, pattern, make, needs] of ROUTES) {
      const m = pattern.exec(path);
      if (!m || method !== request.method) continue;
      if (needs && !me) refuse(401, 'not-signed-in', 'Nobody is signed in, or the session has ended.', 'Sign in.');
      if (needs && needs !== 'half' && s.next) refuse(401, 'factor-needed', 'A second factor is missing.', 'Give it.');
      if (needs && needs !== 'self' && needs !== 'half' && !may(me).includes(needs)) refuse(403, 'not-allowed', `Your roles have no ${needs}.`, 'Ask an administrator for a role that may do this.');
      const body = make({ s, me, m, b: text ? JSON.parse(text) : {}, q: url.searchParams });
      if (method !== 'GET' && RENEWS.test(path)) s.csrf = id();
      if (RENEWS.test(path) || path === '/session') headers['X-Weir-CSRF'] = s.csrf;
      return response.writeHead(200, headers).end(JSON.stringify(body));
    }
    refuse(404, 'not-found', 'There is no such path.', 'See /api/v1/openapi.json.');
  } catch (error) {
    const body = error.body ?? { type: 'urn:weir:problem:failed', title: 'failed', status: 500, detail: String(error.stack), todo: '' };
    response.writeHead(body.status, { ...headers, 'Content-Type': 'application/problem+json' }).end(JSON.stringify(body));
  }
}
/** An OpenID provider beside the program: asks nothing, and sends the browser back with a subject, or with a refusal. */
function provider(response, url) {
  const state = url.searchParams.get('state');
  const back = (query) => `/api/v1/session/oidc/campus/callback?state=${state}&${query}`;
  response.writeHead(200, { 'Content-Type': TYPES['.html'] }).end(`<!doctype html><html lang="en"><title>Campus SSO</title><h1>Campus SSO</h1><p><a href="${back('code=zhang')}">Go on as zhang</a></p><p><a href="${back('error=access_denied')}">Refuse</a></p></html>`);
}
/** Both ways there and the way back: what is known of a flow lies with the session. */
function flow(response, path, url, { s, me, headers }) {
  const to = (where) => response.writeHead(303, { ...headers, Location: where }).end();
  if (!path.endsWith('/callback')) {
    s.flow = { state: id(), links: path.startsWith('/me/') && me ? me : null };
    return to(`/provider?state=${s.flow.state}`);
  }
  const under = s.flow;
  s.flow = null;
  const subject = url.searchParams.get('code');
  if (!under || under.state !== url.searchParams.get('state') || !subject) return to('/#/problem/wrong-credentials');
  if (under.links) {
    under.links.subjects = { campus: subject };
    return to('/#/me');
  }
  const found = [...accounts.values()].find((a) => a.subjects?.campus === subject && a.state === 'active');
  if (!found) return to('/#/problem/wrong-credentials');
  Object.assign(s, { account: found.id, next: found.totp ? 'totp' : null, proved: data.now() });
  return to('/');
}
/** An export, part by part; `--slow` lets one see it run. */
async function stream(response, body) {
  response.writeHead(200, { 'Content-Type': body.format === 'csv' ? 'text/csv' : 'application/jsonl' });
  if (body.format === 'csv') response.write('start,end,source\n');
  const line = body.format === 'csv' ? (t) => `${t},${t},2\n` : (t) => `{"start":"${t}","end":"${t}","source":2}\n`;
  for (let n = 0; n < 20 && !response.destroyed; n += 1) {
    response.write(Array.from({ length: 500 }, () => line(data.at(data.now()))).join(''));
    await new Promise((go) => setTimeout(go, 20));
  }
  response.end();
}
const server = createServer((request, response) => {
  const url = new URL(request.url, 'http://localhost');
  if (url.pathname.startsWith('/api/v1/')) void api(request, response, url);
  else if (url.pathname === '/provider') provider(response, url);
  else page(url.pathname, response, request.headers['accept-encoding']);
});
server.listen(Number(option('port') ?? 0), '127.0.0.1', () => {
  const at = `http://localhost:${server.address().port}`;
  console.log(JSON.stringify({ url: at, setup: setup ? `${at}/#/welcome/${setup}` : null, password: PASSWORD, totp: SECRET }));
});
