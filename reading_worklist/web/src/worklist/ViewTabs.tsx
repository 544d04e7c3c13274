import { EllipsisOutlined, PushpinOutlined, TeamOutlined } from '@ant-design/icons';
import { Dropdown } from 'antd';

import type { SavedView } from '../api/types';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';

export type ViewAct = 'change' | 'edit' | 'default' | 'remove';

interface ViewTabsProps {
  views: readonly SavedView[];
  active: string | null;
  /** Whether the list asks something else than the active view by now. */
  changed: boolean;
  defaultView: string | null;
  onChoose: (view: SavedView) => void;
  onAct: (act: ViewAct, view: SavedView) => void;
}

/** The kept views with how much each shows now. The first nine have a digit as their key. */
export function ViewTabs({ views, active, changed, defaultView, onChoose, onAct }: ViewTabsProps) {
  const { t, language } = useLanguage();
  if (views.length === 0) return null;
  return (
    <div className="view-tabs" role="group" aria-label={t('views.label')}>
      {views.map((view, place) => {
        const isActive = view.id === active;
        const origin = view.group === null ? t('views.sharedWithAll') : siteName(language, view.group);
        const shared = view.shared ? t('views.sharedBy', { name: view.owner.display_name, group: origin }) : undefined;
        return (
          <span key={view.id} className={`view-tab${isActive ? ' view-tab-active' : ''}`}>
            <button
              type="button"
              aria-pressed={isActive}
              title={[view.name, shared].filter((part) => part !== undefined).join(' · ')}
              onClick={() => onChoose(view)}
            >
              {place < 9 && <kbd className="view-key">{place + 1}</kbd>}
              {view.shared && <TeamOutlined />}
              <span className="view-name">{view.name}</span>
              {isActive && changed && <span title={t('views.changed')}>*</span>}
              <span className="state-tab-count">{view.count_exact ? view.count : `${view.count}+`}</span>
              {view.id === defaultView && <PushpinOutlined aria-label={t('views.isDefault')} />}
            </button>
            {isActive && (
              <Dropdown
                trigger={['click']}
                menu={{
                  items: [
                    ...(changed && view.may_change ? [{ key: 'change', label: t('views.keepChange') }] : []),
                    ...(view.may_change ? [{ key: 'edit', label: t('views.edit') }] : []),
                    {
                      key: 'default',
                      label: t(view.id === defaultView ? 'views.noDefault' : 'views.makeDefault'),
                    },
                    ...(view.may_change ? [{ key: 'remove', label: t('views.remove'), danger: true }] : []),
                  ],
                  onClick: ({ key }) => onAct(key as ViewAct, view),
                }}
              >
                <button type="button" className="view-menu" aria-label={t('views.menu', { name: view.name })}>
                  <EllipsisOutlined />
                </button>
              </Dropdown>
            )}
          </span>
        );
      })}
    </div>
  );
}
