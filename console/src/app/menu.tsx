// The pages: where they are, what they need, and what loads them.
import {
  ApiOutlined, AuditOutlined, ControlOutlined, DashboardOutlined, FileSearchOutlined, SafetyCertificateOutlined, SearchOutlined, TeamOutlined, UserOutlined,
} from '@ant-design/icons';
import { type ComponentType, type ReactNode, lazy } from 'react';
import type { Key } from '../i18n';
import type { PageName } from './pages';
import Overview from '../pages/overview/Overview';

/** `or`: what is enough as well. */
export interface Entry { page: PageName; title: Key; group: Key; needs: string; or?: string; icon: ReactNode; view: ComponentType }

export const MENU: Entry[] = [
  { page: 'overview', title: 'menu.overview', group: 'menu.see', needs: 'overview.read', icon: <DashboardOutlined />, view: Overview },
  { page: 'lookup', title: 'menu.lookup', group: 'menu.see', needs: 'lookup.ask', icon: <SearchOutlined />, view: lazy(() => import('../pages/lookup/Lookup')) },
  { page: 'records', title: 'menu.records', group: 'menu.see', needs: 'records.read', or: 'text.open', icon: <FileSearchOutlined />, view: lazy(() => import('../pages/records/RecordsPage')) },
  { page: 'sources', title: 'menu.sources', group: 'menu.see', needs: 'sources.read', icon: <ApiOutlined />, view: lazy(() => import('../pages/sources/Sources')) },
  { page: 'approvals', title: 'menu.approvals', group: 'menu.govern', needs: 'self', icon: <SafetyCertificateOutlined />, view: lazy(() => import('../pages/approvals/Approvals')) },
  { page: 'ledger', title: 'menu.ledger', group: 'menu.govern', needs: 'ledger.read', icon: <AuditOutlined />, view: lazy(() => import('../pages/ledger/LedgerPage')) },
  { page: 'users', title: 'menu.users', group: 'menu.govern', needs: 'accounts.read', icon: <TeamOutlined />, view: lazy(() => import('../pages/users/Users')) },
  { page: 'settings', title: 'menu.settings', group: 'menu.govern', needs: 'settings.read', icon: <ControlOutlined />, view: lazy(() => import('../pages/settings/SettingsPage')) },
  { page: 'account', title: 'menu.account', group: 'menu.me', needs: 'self', icon: <UserOutlined />, view: lazy(() => import('../pages/account/AccountPage')) },
];
