// Roles to choose from; one that may not stand beside a chosen one cannot be chosen, and says so.
import { Checkbox } from 'antd';
import type { Role } from '../../api/types';
import { useWords } from '../../i18n';
import { barred } from './barred';

export function RolePicker({ roles, value = [], onChange }: { roles: Role[]; value?: string[]; onChange?: (next: string[]) => void }) {
  const { t, pick, code } = useWords();
  return (
    <ul className="stack tight" role="group" aria-label={t('account.roles')}>
      {roles.map((role) => {
        const against = barred(role, value, roles);
        const on = value.includes(role.name);
        return (
          <li key={role.name}>
            <Checkbox checked={on} disabled={!on && against.length > 0} onChange={(event) => onChange?.(event.target.checked ? [...value, role.name] : value.filter((name) => name !== role.name))}>
              <b>{pick(role)}</b> <span className="dim small">{against.length > 0 && !on ? t('role.barred', { with: against.map((name) => pick(roles.find((r) => r.name === name) ?? { zh: name, en: name })).join(', ') }) : code('roleIs', role.name, '')}</span>
            </Checkbox>
          </li>
        );
      })}
    </ul>
  );
}
