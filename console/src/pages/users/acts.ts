// What may be done with an account.
import type { Account } from '../../api/types';

export type Act = 'roles' | 'recover' | 'disable' | 'enable' | 'unlock';

/** What may be done with an account in its state, by one who has these capabilities and is not its owner. */
export function actsOf(account: Account, own: boolean, may: (capability: string) => boolean): Act[] {
  if (own) return [];
  const out: Act[] = [];
  if (may('roles.change') && account.state !== 'disabled') out.push('roles');
  if (may('accounts.change')) {
    if (account.state === 'locked') out.push('unlock');
    if (account.state === 'active' || account.state === 'locked') out.push('recover');
    out.push(account.state === 'disabled' ? 'enable' : 'disable');
  }
  return out;
}
