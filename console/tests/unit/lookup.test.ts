// Questions while they are written, and what the program says about a paste.
import { describe, expect, it } from 'vitest';
import { blank, draftOf, endOk, faults, questionOf, readable } from '../../src/pages/lookup/drafts';
import { wordsOf } from '../../src/i18n';
import type { Answer } from '../../src/api/answer';
import { why } from '../../src/pages/lookup/words';

describe('an address with its port', () => {
  const good = ['203.0.113.7:40123', '203.0.113.7', '[2001:db8::1]:443', '2001:db8::1', '[2001:db8::1]'];
  const bad = ['', '203.0.113.7:', '203.0.113.700:1', '203.0.113.7:70000', '[2001:db8::1]:70000', 'example.net:80', '203.0.113'];
  for (const text of good) it(`${text} is one`, () => expect(endOk(text)).toBe(true));
  for (const text of bad) it(`${text || 'nothing'} is none`, () => expect(endOk(text)).toBe(false));
});

describe('a draft', () => {
  it('names what keeps it from being asked', () => {
    expect(faults(blank())).toEqual(['public', 'at']);
    expect(faults({ ...blank(), public: '203.0.113.7:1', at: '2026-11-22 10:00', protocol: 'carrier pigeon', remote: 'x' })).toEqual(['protocol', 'remote']);
  });
  it('comes from a line of a paste and becomes the same question', () => {
    const question = { public: '203.0.113.7:40123', at: '2026-11-22T10:00:00.000+08:00', protocol: 'tcp' };
    const draft = draftOf({ line: 1, question, form: 'plain', assumed: [], problem: null });
    expect(draft.at).toBe('2026-11-22 10:00:00 +08:00');
    expect(questionOf(draft, '2s')).toEqual({ ...question, skew: '2s' });
  });
  it('keeps what was typed where it could not be read', () => {
    const problem = { en: 'the port is wrong', zh: '端口不正确' };
    const draft = draftOf({ line: 1, question: null, form: null, assumed: [], problem }, '203.0.113.7:70000 2026-11-22 10:00:00');
    expect([draft.public, draft.at, faults(draft)]).toEqual(['203.0.113.7:70000', '2026-11-22 10:00:00', ['public']]);
    expect(draftOf({ line: 1, question: null, form: null, assumed: [], problem }, ' what is this ').public).toBe('what is this');
  });
  it('stays as vague as its time was', () => {
    const draft = draftOf({ line: 1, question: { public: '203.0.113.7:1', at: '2026-11-22T10:00:30.000+08:00', skew: '32s' }, form: 'plain', assumed: [], problem: null });
    expect(questionOf(draft, '2s').skew).toBe('32s');
    expect(questionOf(draft, '1m').skew).toBe('1m');
  });
  it('is read easily', () => {
    expect(readable('2026-11-22T10:00:00.123+08:00')).toBe('2026-11-22 10:00:00.123 +08:00');
  });
});

describe('why an answer is what it is', () => {
  const answer = { answer: 'one', code: 'holder', reason: 'cgn-a had mapped it to one inside end', clocks: [{ source: 'kea' }] } as Answer;
  it('is said in the reader’s language, in the program’s own sentence where there is one', () => {
    expect(why(answer, wordsOf('en'))).toBe('cgn-a had mapped it to one inside end.');
    expect(why({ ...answer, reason: 'kea gave it to one inside end' }, wordsOf('en'))).toBe('kea gave it to one inside end.');
    expect(why({ ...answer, reason: 'the port passed on' }, wordsOf('en'))).toBe('The port passed on.');
    expect(why({ ...answer, reason_zh: 'cgn-a 将其映射到一个内网端' }, wordsOf('zh'))).toBe('cgn-a 将其映射到一个内网端。');
    expect(why(answer, wordsOf('zh'))).toBe(wordsOf('zh').code('reason', 'holder'));
    expect(why({ ...answer, reason_zh: answer.reason }, wordsOf('zh'))).toBe(wordsOf('zh').code('reason', 'holder'));
  });
});
