// What the console offers for an account; the program decides again.
import { describe, expect, it } from 'vitest';
import type { Account, Role } from '../../src/api/types';
import { ROUTE, actsOf } from '../../src/pages/users/acts';
import { barred } from '../../src/pages/users/barred';

const account = (state: string): Account => ({ id: '1', person: 'p', login: 'a', display: 'A', roles: [], state, second_factor: true, since: '' });
const all = (): boolean => true;

describe('acts', () => {
  it('never include one’s own account', () => expect(actsOf(account('active'), true, all)).toEqual([]));
  it('fit the state', () => {
    expect(actsOf(account('locked'), false, all)).toEqual(['roles', 'unlock', 'recover', 'disable']);
    expect(actsOf(account('disabled'), false, all)).toEqual(['enable']);
    expect(actsOf(account('invited'), false, all)).toEqual(['roles', 'disable']);
    expect(actsOf(account('link-ended'), false, all)).toEqual(['roles', 'link', 'disable']);
    expect(ROUTE.link).toBe('recover');
  });
  it('need the capability', () => {
    expect(actsOf(account('active'), false, (c) => c === 'roles.change')).toEqual(['roles']);
    expect(actsOf(account('active'), false, () => false)).toEqual([]);
  });
});

describe('roles', () => {
  const role = (name: string, never_with: string[]): Role => ({ name, zh: '', en: '', may: [], never_with });
  const roles = [role('operator', []), role('approver', ['operator']), role('reviewer', [])];
  it('exclude one another from both sides', () => {
    expect(barred(roles[0]!, ['approver'], roles)).toEqual(['approver']);
    expect(barred(roles[1]!, ['operator', 'reviewer'], roles)).toEqual(['operator']);
    expect(barred(roles[2]!, ['operator'], roles)).toEqual([]);
  });
});
