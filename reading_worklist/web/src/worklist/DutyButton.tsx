import { CalendarOutlined } from '@ant-design/icons';
import { Button } from 'antd';

import { useMinute } from '../design/clock';
import { formatShortTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { type Duty, useRosterFromNow } from '../roster/queries';
import { BarPopover } from './BarPopover';
import { rosterOf } from './duty';

/** When one is on duty oneself, and who is now; nothing where no roster is kept. */
export function DutyButton({ person }: { person: string }) {
  const { t } = useLanguage();
  const now = useMinute();
  const { data } = useRosterFromNow();
  if (data === undefined || data.length === 0) return null;
  const mine = rosterOf(data, person, now);
  const next = mine.next[0];
  const label =
    mine.now !== null
      ? t('duty.now', { until: formatShortTime(mine.now.ends_at, now) })
      : next === undefined
        ? t('duty.none')
        : t('duty.next', { from: formatShortTime(next.starts_at, now) });
  return (
    <BarPopover
      label={t('duty.title')}
      className="duty-list"
      content={
        <>
          <h2>{t('duty.onDuty')}</h2>
          <DutyList duties={mine.onDuty} now={now} nobody={t('duty.nobody')} named />
          <h2>{t('duty.mine')}</h2>
          <DutyList duties={mine.next} now={now} nobody={t('duty.noneOfMine')} />
        </>
      }
    >
      {(open) => (
        <Button
          aria-expanded={open}
          aria-label={label}
          title={label}
          className={mine.now === null ? 'duty-button' : 'duty-button duty-button-now'}
          icon={<CalendarOutlined />}
        >
          <span className="duty-label">{label}</span>
        </Button>
      )}
    </BarPopover>
  );
}

interface DutyListProps {
  duties: readonly Duty[];
  now: number;
  nobody: string;
  /** With the names of who has them. */
  named?: boolean;
}

function DutyList({ duties, now, nobody, named = false }: DutyListProps) {
  const { t, language } = useLanguage();
  if (duties.length === 0) return <p className="quiet">{nobody}</p>;
  return (
    <ul>
      {duties.map((duty) => (
        <li key={duty.id}>
          {named && <strong>{duty.person.display_name}</strong>}
          <span>{duty.group === null ? t(`lane.${duty.lane}`) : siteName(language, duty.group)}</span>
          <span className="quiet">
            {named ? '' : `${formatShortTime(duty.starts_at, now)} – `}
            {named
              ? t('duty.until', { until: formatShortTime(duty.ends_at, now) })
              : formatShortTime(duty.ends_at, now)}
          </span>
        </li>
      ))}
    </ul>
  );
}
