// The bar: quick look-up, the program's clock, how it is, language, theme, account.
import { BulbOutlined, GlobalOutlined, LogoutOutlined, UserOutlined } from '@ant-design/icons';
import { Button, Dropdown, Input, type InputRef } from 'antd';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { remove } from '../api/client';
import type { Overview } from '../api/types';
import { useWords } from '../i18n';
import { ZONE_NAME, parse, show } from '../lib/time';
import { Status, type Tone, useNarrow } from '../ui/Bits';
import { type Theme, setLang, setTheme, usePrefs } from './prefs';
import { go } from './router';
import { useDesk } from './session';

/** Worst first: what colour the whole is. */
export function toneOf(overview: Overview): Tone {
  if (overview.store.full || overview.store.trouble || overview.measures.some((m) => m.state === 'stopped') || overview.notices.some((n) => n.level === 'error')) return 'err';
  if (overview.notices.some((n) => n.level === 'warning') || overview.measures.some((m) => m.state === 'degraded')) return 'warn';
  return 'ok';
}

export function Bar({ menu }: { menu: ReactNode }) {
  const { t } = useWords();
  const { me, may, reload, overview } = useDesk();
  const narrow = useNarrow();
  const tone = overview.data ? toneOf(overview.data) : null;
  const out = async (): Promise<void> => {
    try {
      await remove('/session');
    } finally {
      go('');
      await reload();
    }
  };
  return (
    <header className="bar">
      {menu}
      {may('lookup.ask') ? <Find /> : <span className="grow" />}
      <div className="right">
        {!narrow && <Clock />}
        {tone && <a href="#/overview" style={{ textDecoration: 'none', paddingRight: 6 }} aria-label={t(`state.${tone as 'ok' | 'warn' | 'err'}`)}><Status tone={tone}>{narrow ? '' : t(`state.${tone as 'ok' | 'warn' | 'err'}`)}</Status></a>}
        {!narrow && <LangButton />}
        {!narrow && <ThemeButton />}
        <Dropdown
          trigger={['click']}
          menu={{
            items: [
              { key: 'me', icon: <UserOutlined />, label: <a href="#/account">{t('menu.account')}</a> },
              ...(narrow ? [
                { key: 'lang', icon: <GlobalOutlined />, label: t('lang.other'), onClick: () => setLang(t('lang.otherCode') as 'zh' | 'en') },
                { key: 'theme', icon: <BulbOutlined />, label: t('theme'), children: themes(t) },
              ] : []),
              { type: 'divider' as const },
              { key: 'out', icon: <LogoutOutlined />, label: t('shell.signOut'), onClick: () => void out() },
            ],
          }}
        >
          <Button type="text" icon={<UserOutlined />} aria-label={t('shell.account', { name: me.display })}>{narrow ? null : <span style={{ maxWidth: 120, overflow: 'hidden', textOverflow: 'ellipsis' }}>{me.display}</span>}</Button>
        </Dropdown>
      </div>
    </header>
  );
}

function Find() {
  const { t } = useWords();
  const { me } = useDesk();
  const field = useRef<InputRef>(null);
  const [text, setText] = useState('');
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      const at = event.target as HTMLElement;
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || at.closest('input,textarea,select,[contenteditable]')) return;
      event.preventDefault();
      field.current?.focus();
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, []);
  return (
    <form className="find" role="search" onSubmit={(event) => { event.preventDefault(); if (text.trim()) { go('lookup', { by: me.id, paste: text }); setText(''); } }}>
      <Input
        ref={field}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => { if (event.key === 'Escape') event.currentTarget.blur(); }}
        placeholder={t('find.placeholder')}
        aria-label={t('find.label')}
        aria-keyshortcuts="/"
        maxLength={4000}
      />
      <kbd aria-hidden="true">/</kbd>
    </form>
  );
}

/** The program's clock, carried on between two polls. */
function Clock() {
  const { t } = useWords();
  const { overview } = useDesk();
  const told = overview.data?.now;
  const at = useRef({ program: Date.now(), here: performance.now() });
  const [, tick] = useState(0);
  useEffect(() => {
    if (told) at.current = { program: parse(told), here: performance.now() };
  }, [told]);
  useEffect(() => {
    const timer = window.setInterval(() => tick((n) => n + 1), 1000);
    return () => window.clearInterval(timer);
  }, []);
  if (!told) return null;
  return <span className="clock" title={t('shell.clock')}><b>{show(at.current.program + performance.now() - at.current.here, 'clock')}</b> {ZONE_NAME}</span>;
}

export function LangButton() {
  const { t } = useWords();
  return <Button type="text" icon={<GlobalOutlined />} onClick={() => setLang(t('lang.otherCode') as 'zh' | 'en')} lang={t('lang.otherCode') === 'zh' ? 'zh-CN' : 'en'}>{t('lang.other')}</Button>;
}

function themes(t: ReturnType<typeof useWords>['t']): { key: string; label: string; onClick: () => void }[] {
  return (['system', 'light', 'dark'] as Theme[]).map((theme) => ({ key: theme, label: t(`theme.${theme}`), onClick: () => setTheme(theme) }));
}

export function ThemeButton() {
  const { t } = useWords();
  const { theme } = usePrefs();
  return (
    <Dropdown trigger={['click']} menu={{ items: themes(t), selectable: true, selectedKeys: [theme] }}>
      <Button type="text" icon={<BulbOutlined />} aria-label={t('theme')} />
    </Dropdown>
  );
}
