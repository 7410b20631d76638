// What may be done with an account.
import type { Account } from '../../api/types';

export type Act = 'roles' | 'recover' | 'link' | 'disable' | 'enable' | 'unlock';

/** Where each is asked for: a new link is what recovers an account that nobody became yet. */
export const ROUTE: Record<Act, string> = { roles: 'roles', recover: 'recover', link: 'recover', disable: 'disable', enable: 'enable', unlock: 'unlock' };

/** What may be done with an account in its state, by one who has these capabilities and is not its owner. */
export function actsOf(account: Account, own: boolean, may: (capability: string) => boolean): Act[] {
  if (own) return [];
  const out: Act[] = [];
  if (may('roles.change') && account.state !== 'disabled') out.push('roles');
  if (may('accounts.change')) {
    if (account.state === 'locked') out.push('unlock');
    if (account.state === 'active' || account.state === 'locked') out.push('recover');
    if (account.state === 'link-ended') out.push('link');
    out.push(account.state === 'disabled' ? 'enable' : 'disable');
  }
  return out;
}
