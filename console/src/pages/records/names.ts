// Names that the standards give to numbers in records.

/** Protocol numbers of IANA that carry ports or are met beside them. */
const PROTOCOL: Record<number, string> = { 1: 'icmp', 6: 'tcp', 17: 'udp', 47: 'gre', 50: 'esp', 58: 'icmpv6', 132: 'sctp', 136: 'udplite' };
/** Acct-Status-Type (RFC 2866, section 5.1). */
const STATUS: Record<number, string> = { 1: 'Start', 2: 'Stop', 3: 'Interim-Update', 7: 'Accounting-On', 8: 'Accounting-Off' };
/** Severities of RFC 5424, section 6.2.1. */
const SEVERITY = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];

/** The name of a number in this column; `doc` is what the program says of the column. */
export function nameOf(column: string, doc: string, value: unknown): string | undefined {
  if (typeof value !== 'number') return undefined;
  if (column === 'protocol') return PROTOCOL[value];
  if (column === 'severity') return SEVERITY[value];
  if (column === 'status' && doc.includes('Acct-Status-Type')) return STATUS[value];
  return undefined;
}
