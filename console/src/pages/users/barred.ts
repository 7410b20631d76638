// Which of the chosen roles keep another from being chosen.
import type { Role } from '../../api/types';

export function barred(role: Role, chosen: string[], roles: Role[]): string[] {
  return chosen.filter((name) => name !== role.name && (role.never_with.includes(name) || roles.find((r) => r.name === name)?.never_with.includes(role.name)));
}
