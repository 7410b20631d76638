// The golden table: which role may do what.
import { CheckOutlined } from '@ant-design/icons';
import type { Role } from '../../api/types';
import { useWords } from '../../i18n';
import { Pill, useNarrow } from '../../ui/Bits';
import { Panel } from '../../ui/Page';

export function Roles({ roles }: { roles: Role[] }) {
  const { t, pick, code } = useWords();
  const narrow = useNarrow();
  const all = [...new Set(roles.flatMap((r) => r.may))];
  const name = (role: string): string => pick(roles.find((r) => r.name === role) ?? { zh: role, en: role });
  return (
    <div className="stack">
      <p className="note">{t('roles.lead')}</p>
      {narrow ? roles.map((role) => (
        <Panel key={role.name} title={pick(role)}>
          <p className="dim" style={{ marginBottom: 6 }}>{code('roleIs', role.name, '')}</p>
          <p className="row" style={{ gap: 4 }}>{role.may.map((c) => <Pill key={c} tone="accent">{code('may', c)}</Pill>)}</p>
          {role.never_with.length > 0 && <p className="small dim" style={{ marginTop: 6 }}>{t('roles.never')}: {role.never_with.map(name).join(', ')}</p>}
        </Panel>
      )) : (
        <Panel title={t('roles.title')} flush>
          <div className="matrix" tabIndex={0} role="region" aria-label={t('roles.title')}>
            <table>
              <thead>
                <tr>
                  <th scope="col">{t('roles.may')}</th>
                  {roles.map((role) => <th key={role.name} scope="col" title={code('roleIs', role.name, '')}>{pick(role)}</th>)}
                </tr>
              </thead>
              <tbody>
                {all.map((capability) => (
                  <tr key={capability}>
                    <th scope="row">{code('may', capability)} <span className="mono dim small">{capability}</span></th>
                    {roles.map((role) => (
                      <td key={role.name}>{role.may.includes(capability) ? <CheckOutlined className="ok" aria-label={t('roles.yes')} /> : <span className="dim" aria-label={t('roles.no')} role="img">·</span>}</td>
                    ))}
                  </tr>
                ))}
                <tr>
                  <th scope="row">{t('roles.never')}</th>
                  {roles.map((role) => <td key={role.name} className="small">{role.never_with.length === 0 ? '–' : role.never_with.length >= roles.length - 1 ? t('roles.allOthers') : role.never_with.map(name).join(', ')}</td>)}
                </tr>
              </tbody>
            </table>
          </div>
        </Panel>
      )}
    </div>
  );
}
