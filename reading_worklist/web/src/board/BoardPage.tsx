import { CloseOutlined, WarningFilled } from '@ant-design/icons';
import { type CSSProperties, useEffect, useRef, useState } from 'react';
import { useNavigate } from 'react-router';

import type { Board } from '../api/types';
import { useSecond } from '../design/clock';
import { Mark } from '../design/Mark';
import { ProblemNotice } from '../design/Notice';
import { cssVariable, dark, light, type Palette } from '../design/palette';
import { useShortcuts } from '../design/shortcuts';
import { formatClock, formatDuration } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteName, siteOf } from '../i18n/siteName';
import { isStale } from './fresh';
import { LanePanel } from './LanePanel';
import { ChestPainPanel } from './ChestPainPanel';
import { useBoard } from './queries';
import './board.css';

/** The board on the wall: how long the queue is, what is late, who is on duty, what is silent. Dark, unless asked otherwise. */
export function BoardPage() {
  const { t } = useLanguage();
  const navigate = useNavigate();
  const [bright, setBright] = useState(false);
  const { board, lost } = useBoard();
  const root = useRef<HTMLDivElement>(null);
  const second = useSecond();
  useShortcuts({
    Escape: () => void navigate('/'),
    l: () => setBright(!bright),
    f: () => {
      // A browser may refuse; the page fills the window anyway.
      void root.current?.requestFullscreen().catch(() => undefined);
    },
  });
  useEffect(() => root.current?.focus(), []);

  const updatedAt = board.data === undefined ? second : Date.parse(board.data.now);
  const stale = isStale({ lost, failed: board.isError, updatedAt }, second);
  // Nothing moves on a board that is not brought anew.
  const now = stale ? updatedAt : second;
  return (
    <div ref={root} className="board" style={colours(bright ? light : dark)} tabIndex={-1} aria-busy={board.isPending}>
      <header className="board-head">
        <Mark size={40} />
        <h1>{board.data === undefined ? t('board.title') : <Owner board={board.data} />}</h1>
        {!stale && board.data !== undefined && (
          <time className="board-clock">{formatClock(new Date(second).toISOString())}</time>
        )}
        <button
          type="button"
          className="board-leave"
          aria-label={t('board.leave')}
          title={t('board.leave')}
          onClick={() => void navigate('/')}
        >
          <CloseOutlined />
        </button>
      </header>
      {stale && board.data !== undefined && (
        <p className="board-stale" role="alert">
          <WarningFilled />
          <strong>{t('board.stale')}</strong>
          <span>{t('board.staleSince', { time: formatClock(board.data.now) })}</span>
        </p>
      )}
      {board.data === undefined ? (
        board.isError && (
          <div className="board-failed">
            <ProblemNotice heading={t('board.failed')} error={board.error} onRetry={() => void board.refetch()} />
          </div>
        )
      ) : (
        <main className={`board-body${stale ? ' board-old' : ''}`}>
          <div className="board-lanes">
            {board.data.lanes.map((lane) => (
              <LanePanel key={lane.lane} lane={lane} now={now} />
            ))}
          </div>
          <aside className="board-side">
            <CriticalPanel values={board.data.critical_values} now={now} />
            <ChestPainPanel />
            <DutyPanel duties={board.data.on_duty} />
            <SilentPanel board={board.data} now={now} />
          </aside>
        </main>
      )}
    </div>
  );
}

function colours(palette: Palette): CSSProperties {
  const style: Record<string, string> = {};
  for (const [name, value] of Object.entries(palette) as [keyof Palette, string][]) style[cssVariable(name)] = value;
  return style;
}

function Owner({ board }: { board: Board }) {
  const { language } = useLanguage();
  return siteName(language, { name: board.organisation_name, name_en: board.organisation_name_en });
}

function CriticalPanel({ values, now }: { values: Board['critical_values']; now: number }) {
  const { t, language } = useLanguage();
  const calling = values.unanswered > 0;
  return (
    <section className={`board-panel board-critical${calling ? ' board-calling' : ''}`}>
      <h2>{t('board.critical')}</h2>
      <p className="board-figure">
        <strong>{values.open}</strong>
        <span>{t('board.critical.unanswered', { n: values.unanswered })}</span>
      </p>
      {values.oldest_found_at !== null && (
        <p>{t('board.oldest', { time: formatDuration(language, now - Date.parse(values.oldest_found_at)) })}</p>
      )}
    </section>
  );
}

const DUTY_MAX = 8;

function DutyPanel({ duties }: { duties: Board['on_duty'] }) {
  const { t, language } = useLanguage();
  return (
    <section className="board-panel">
      <h2>{t('board.onDuty', { n: duties.length })}</h2>
      {duties.length === 0 && <p className="board-warn">{t('board.onDuty.nobody')}</p>}
      <ul>
        {duties.slice(0, DUTY_MAX).map((duty, place) => (
          <li key={place}>
            <strong>{duty.name ?? t('board.somebody')}</strong>
            <span>{duty.group === null ? t(`lane.${duty.lane}`) : siteName(language, duty.group)}</span>
            <span className="board-when">{t('board.until', { time: formatClock(duty.ends_at).slice(0, 5) })}</span>
          </li>
        ))}
      </ul>
      {duties.length > DUTY_MAX && <p className="board-more">{t('board.more', { n: duties.length - DUTY_MAX })}</p>}
    </section>
  );
}

const SILENT_MAX = 6;

function SilentPanel({ board, now }: { board: Board; now: number }) {
  const { t, language } = useLanguage();
  return (
    <section className="board-panel">
      <h2>{t('board.silent', { n: board.silent })}</h2>
      {board.silent === 0 && <p className="board-fine">{t('board.silent.none')}</p>}
      <ul>
        {board.silent_devices.slice(0, SILENT_MAX).map((device) => (
          <li key={device.id}>
            <strong>{device.name}</strong>
            <span>{siteOf(language, device)}</span>
            <span className="board-when">
              {device.heard_at === null
                ? t('board.silent.never')
                : formatDuration(language, now - Date.parse(device.heard_at))}
            </span>
          </li>
        ))}
      </ul>
      {board.silent > SILENT_MAX && <p className="board-more">{t('board.more', { n: board.silent - SILENT_MAX })}</p>}
    </section>
  );
}
