// What goes over the wire, by hand until the API's own page is there.
export interface Problem { type: string; title: string; status: number; detail: string; todo: string; field?: string | null; retry_after?: number | null }
export interface Me { id: string; login: string; display: string; roles: string[]; may: string[]; waiting: number; emergency?: Emergency | null }
export interface Emergency { role: string; until: string }
export interface Provider { name: string; title: string }
export interface Unit { origin: string; kinds: string[]; demo: boolean }
export interface Session {
  account?: Me | null; next?: string | null; csrf: string; idle_seconds?: number | null; setup: boolean; providers: Provider[]; unit: Unit; version: string;
}
export interface Ceremony { public_key: unknown }
export interface Passkey { id: string; name: string; since: string; used?: string | null }
export interface Factors { password: boolean; totp: boolean; passkeys: Passkey[]; providers: string[] }
export interface TotpBegin { secret: string; uri: string }
export interface OpenSession { id: string; since: string; used: string; address: string; agent: string; current: boolean }
export interface Token { id: string; name: string; scope: string[]; expires: string; used?: string | null; secret?: string | null }
export interface StoreState {
  full: boolean; waiting_rows: number; last_sealed?: string | null; log_size: number; open_mappings: number; open_sessions: number;
  wal_bytes: number; free_bytes: number; trouble?: string | null;
}
export interface ClauseName { id: string; zh: string; en: string }
export interface MeasureState { name: string; zh: string; en: string; state: string; since: string; why: string; clauses: ClauseName[]; last_drill?: string | null }
export interface GapState { source: number; name: string; from: string; to: string; count?: number | null; reason: string }
export interface Notice { level: string; code: string; text: string; since?: string | null }
export interface Overview { now: string; since: string; store: StoreState; measures: MeasureState[]; gaps: GapState[]; notices: Notice[] }
export interface Line { kind: string; records: number[]; lost: number[]; malformed: number[] }
export interface Series { step_seconds: number; times: string[]; lines: Line[]; sealed: number[] }
export interface Question { public: string; at: string; protocol?: string | null; remote?: string | null; skew?: string | null }
export interface ReadLine { line: number; question?: Question | null; form?: string | null; assumed: string[]; problem?: string | null }
export interface Read { lines: ReadLine[] }
export interface Answers { answers: unknown[] }
export interface Column { name: string; doc: string; unit: string; class: string }
export interface KindShape { name: string; doc: string; columns: Column[]; searchable: boolean }
export interface Records { columns: string[]; rows: Record<string, unknown>[]; more: boolean }
export interface Table { columns: string[]; rows: Record<string, unknown>[]; cut: boolean }
export interface Source {
  number: number; name: string; kind: string; realm: string; peer: string; profile: string; clock: string; since: string; state: string;
  trouble?: string | null; last_seen?: string | null; complete_to?: string | null; offset_ms?: number | null; rate: number;
  messages: number; records: number; malformed: number; lost: number; ignored: number; unrecognised: number; duplicates: number; spark: number[];
}
export interface Malformed { time: string; reason: string; offset?: number | null; bytes?: number | null; shape?: string | null }
export interface Guide { kind: string; vendor: string; commands: string; note: string; note_zh: string }
export interface LedgerEntry {
  id: string; time: string; actor: string; display?: string | null; purpose: string; act: string; answer: string; rows: number; offline: boolean;
}
export interface Ledger { entries: LedgerEntry[]; more: boolean }
export interface Opened { target: string }
export interface Account {
  id: string; person: string; login: string; display: string; roles: string[]; state: string; second_factor: boolean; since: string;
  last_sign_in?: string | null; locked_until?: string | null;
}
export interface Changed { state: string; approval?: string | null; link?: string | null }
export interface Role { name: string; zh: string; en: string; may: string[]; never_with: string[] }
export interface Step { actor: string; display: string; time: string; what: string; reason?: string | null }
export interface Approval {
  id: string; kind: string; state: string; content: unknown; digest: string; reason: string; asked_by: string; asked_by_display: string;
  asked_at: string; expires: string; needed: number; steps: Step[]; may_confirm: boolean; why_not?: string | null;
}
export interface Setting { path: string; value: string; default: string; origin: string; shape: string; editable: boolean; two_persons: boolean }
export interface Difference { path: string; old?: string | null; new?: string | null; two_persons: boolean }
export interface Settings { values: Setting[]; pending: Difference[] }
export interface SettingProblem { path: string; text: string }
export interface Checked { differences: Difference[]; problems: SettingProblem[]; two_persons: boolean }
