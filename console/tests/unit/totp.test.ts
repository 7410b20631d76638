// The demonstration's codes are those of the standard.
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../src/lib/totp';

describe('codes by time', () => {
  // RFC 6238 appendix B, SHA-1: the last six of its eight digits.
  it.each([[59, '287082'], [1_111_111_109, '081804'], [1_234_567_890, '005924'], [20_000_000_000, '353130']])('of second %d', async (second, code) => {
    expect(await codeOf('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', second * 1_000)).toBe(code);
  });
});
