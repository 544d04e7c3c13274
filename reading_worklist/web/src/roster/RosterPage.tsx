import { LeftOutlined, QuestionCircleOutlined, RightOutlined } from '@ant-design/icons';
import { App, Button, Modal, Tooltip } from 'antd';
import { type KeyboardEvent, useRef, useState } from 'react';
import { useSearchParams } from 'react-router';

import { serverNow } from '../api/serverClock';
import type { Lane } from '../api/types';
import { useMinute } from '../design/clock';
import { ProblemNotice } from '../design/Notice';
import { ShortcutHelp } from '../design/ShortcutHelp';
import { useShortcuts } from '../design/shortcuts';
import { useRefusal } from '../design/useRefusal';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { daysLater, weekdayOf } from '../rules/days';
import { type Group, useGroups, useWorkingTime } from '../rules/queries';
import { DutyDialog } from './DutyDialog';
import { addedBy, type Duty, useRoster, useRosterAct } from './queries';
import { gapsOf, instantOf, localOf, mondayOf, weekOf } from './week';
import '../rules/rules.css';
import './roster.css';

const LANES = ['imaging', 'ecg'] as const satisfies readonly Lane[];
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const WEEK = 7;

interface Row {
  lane: Lane;
  /** null is all of the lane. */
  group: Group | null;
}

/** Who is on duty for what, a week at a time; where nobody is, it is said. */
export function RosterPage() {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const refused = useRefusal();
  const [parameters, setParameters] = useSearchParams();
  const time = useWorkingTime(new Date(serverNow()).getFullYear());
  const zone = time.data?.time_zone ?? 'Asia/Shanghai';
  const today = localOf(new Date(useMinute()).toISOString(), zone).day;
  const asked = parameters.get('week');
  const monday = mondayOf(asked !== null && DAY.test(asked) ? asked : today);
  const roster = useRoster(instantOf(monday, '00:00', zone), instantOf(daysLater(monday, WEEK), '00:00', zone));
  const groups = useGroups();
  const { mutateAsync, isPending } = useRosterAct();
  const [helping, setHelping] = useState(false);
  const week = weekOf(monday);
  const duties = roster.data ?? [];
  const go = (day: string): void =>
    setParameters(mondayOf(day) === mondayOf(today) ? {} : { week: day }, { replace: true });
  const copy = async (): Promise<void> => {
    try {
      const added = addedBy(await mutateAsync({ kind: 'copy', firstDay: monday }));
      void message.success(added === 0 ? t('roster.copiedNone') : t('roster.copied', { n: added }));
    } catch (error) {
      refused(error);
    }
  };
  useShortcuts({
    p: () => go(daysLater(monday, -WEEK)),
    n: () => go(daysLater(monday, WEEK)),
    c: () => void copy(),
    '?': () => setHelping(true),
  });
  const gaps = LANES.reduce(
    (sum, lane) => sum + week.reduce((all, day) => all + gapsOf(day, ofLane(duties, lane), zone).length, 0),
    0,
  );
  const rows: Row[] = LANES.flatMap((lane) => [
    { lane, group: null },
    ...(groups.data ?? [])
      .filter((group) => group.lane === lane && (group.active || duties.some((one) => one.group?.code === group.code)))
      .map((group) => ({ lane, group })),
  ]);
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('roster.title')}</h1>
        <Button
          icon={<LeftOutlined />}
          aria-label={t('roster.previous')}
          onClick={() => go(daysLater(monday, -WEEK))}
        />
        <strong>{t('roster.week', { from: monday, to: week.at(-1) ?? monday })}</strong>
        <Button icon={<RightOutlined />} aria-label={t('roster.next')} onClick={() => go(daysLater(monday, WEEK))} />
        <Button disabled={week.includes(today)} onClick={() => go(today)}>
          {t('roster.thisWeek')}
        </Button>
        {roster.isSuccess && (
          <span className={gaps > 0 ? 'danger' : 'page-note'} role="status">
            {gaps > 0 ? t('roster.gapCount', { n: gaps }) : t('roster.noGaps')}
          </span>
        )}
        <span className="page-space" />
        <Button
          type="text"
          icon={<QuestionCircleOutlined />}
          aria-label={t('keys.title')}
          onClick={() => setHelping(true)}
        />
        <Tooltip title={t('roster.copyExplain')}>
          <Button className="roster-copy" loading={isPending} onClick={() => void copy()}>
            {t('roster.copy')}
          </Button>
        </Tooltip>
      </div>
      {roster.isError && (
        <div className="page-problem">
          <ProblemNotice heading={t('roster.failed')} error={roster.error} onRetry={() => void roster.refetch()} />
        </div>
      )}
      <Grid
        rows={rows}
        week={week}
        duties={duties}
        zone={zone}
        today={today}
        loading={roster.isPending}
        old={roster.isPlaceholderData}
      />
      <ShortcutHelp
        open={helping}
        lines={[
          [['←', '→', '↑', '↓'], 'roster.keyMove'],
          [['Enter'], 'roster.add'],
          [['Del'], 'roster.remove'],
          [['p'], 'roster.previous'],
          [['n'], 'roster.next'],
          [['c'], 'roster.copy'],
        ]}
        onClose={() => setHelping(false)}
      />
    </div>
  );
}

function ofLane(duties: readonly Duty[], lane: Lane): Duty[] {
  return duties.filter((duty) => duty.lane === lane);
}

interface GridProps {
  rows: readonly Row[];
  week: readonly string[];
  duties: readonly Duty[];
  zone: string;
  today: string;
  loading: boolean;
  old: boolean;
}

/** The week as a grid that the arrow keys go through; Enter puts somebody in, Del takes somebody out. */
function Grid({ rows, week, duties, zone, today, loading, old }: GridProps) {
  const { t, language } = useLanguage();
  const now = useMinute();
  const table = useRef<HTMLTableElement>(null);
  const [at, setAt] = useState({ row: 0, column: Math.max(0, week.indexOf(today)) });
  const [adding, setAdding] = useState<{ row: Row; day: string } | null>(null);
  const [removing, setRemoving] = useState<readonly Duty[] | null>(null);
  const nameOf = (row: Row): string =>
    row.group === null ? t('roster.everyone', { lane: t(`lane.${row.lane}`) }) : siteName(language, row.group);
  const move = (row: number, column: number): void => {
    if (row < 0 || row >= rows.length || column < 0 || column >= week.length) return;
    setAt({ row, column });
    table.current?.querySelector<HTMLElement>(`[data-cell="${row} ${column}"]`)?.focus();
  };
  const cellOf = (row: Row, day: string): Duty[] =>
    duties.filter(
      (duty) =>
        duty.lane === row.lane &&
        (duty.group?.code ?? null) === (row.group?.code ?? null) &&
        localOf(duty.starts_at, zone).day === day,
    );
  const onKeyDown = (event: KeyboardEvent, row: number, column: number): void => {
    if (event.target !== event.currentTarget) return;
    const [here, day] = [rows[row], week[column]];
    if (here === undefined || day === undefined) return;
    const open = cellOf(here, day).filter((duty) => Date.parse(duty.ends_at) > now);
    if (event.key === 'ArrowUp') move(row - 1, column);
    else if (event.key === 'ArrowDown') move(row + 1, column);
    else if (event.key === 'ArrowLeft') move(row, column - 1);
    else if (event.key === 'ArrowRight') move(row, column + 1);
    else if (event.key === 'Enter') setAdding({ row: here, day });
    else if (event.key === 'Delete' && open.length > 0) setRemoving(open);
    else return;
    event.preventDefault();
  };
  return (
    <div className={old ? 'roster-scroll table-old' : 'roster-scroll'} aria-busy={loading || old}>
      <table className="roster" role="grid" aria-label={t('roster.grid')} ref={table}>
        <thead>
          <tr>
            <th scope="col">
              <span className="visually-hidden">{t('groups.title')}</span>
            </th>
            {week.map((day) => (
              <th key={day} scope="col" className={day === today ? 'roster-today' : undefined}>
                {t('roster.weekday', {
                  weekday: t(`calendar.weekday.${weekdayOf(day) as 1 | 2 | 3 | 4 | 5 | 6 | 7}`),
                  day: day.slice(5),
                })}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, rowAt) => (
            <tr key={`${row.lane} ${row.group?.code ?? ''}`} className={row.group === null ? 'roster-lane' : undefined}>
              <th scope="row">
                {nameOf(row)}
                {row.group === null && <div className="quiet small">{t('roster.wholeLane')}</div>}
              </th>
              {week.map((day, columnAt) => {
                const own = cellOf(row, day);
                return (
                  <td
                    key={day}
                    role="gridcell"
                    data-cell={`${rowAt} ${columnAt}`}
                    tabIndex={at.row === rowAt && at.column === columnAt ? 0 : -1}
                    className={day === today ? 'roster-cell roster-today' : 'roster-cell'}
                    onKeyDown={(event) => onKeyDown(event, rowAt, columnAt)}
                    onFocus={() => setAt({ row: rowAt, column: columnAt })}
                    onClick={(event) => event.target === event.currentTarget && setAdding({ row, day })}
                  >
                    <span className="visually-hidden">{t('roster.cell', { row: nameOf(row), day })}</span>
                    {own.map((duty) => (
                      <DutyMark key={duty.id} duty={duty} zone={zone} now={now} onRemove={() => setRemoving([duty])} />
                    ))}
                    {row.group === null && !loading && (
                      <Gaps day={day} duties={ofLane(duties, row.lane)} zone={zone} over={day < today} />
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      <p className="roster-keys quiet small">{t('roster.keys')}</p>
      {adding !== null && (
        <DutyDialog
          title={t('roster.addFor', { row: nameOf(adding.row), day: adding.day })}
          lane={adding.row.lane}
          group={adding.row.group?.code ?? null}
          members={new Set(adding.row.group?.members.map((person) => person.id))}
          day={adding.day}
          zone={zone}
          onClose={() => setAdding(null)}
        />
      )}
      {removing !== null && <RemoveDialog duties={removing} zone={zone} onClose={() => setRemoving(null)} />}
    </div>
  );
}

function DutyMark({ duty, zone, now, onRemove }: { duty: Duty; zone: string; now: number; onRemove: () => void }) {
  const { t } = useLanguage();
  const over = Date.parse(duty.ends_at) <= now;
  const on = !over && Date.parse(duty.starts_at) <= now;
  return (
    <button
      type="button"
      tabIndex={-1}
      disabled={over}
      className={over ? 'duty duty-over' : on ? 'duty duty-now' : 'duty'}
      title={over ? t('roster.over') : t('roster.remove')}
      onClick={onRemove}
    >
      <span className="strong">{duty.person.display_name}</span>
      <span className="small">{timesOf(duty, zone)}</span>
    </button>
  );
}

function timesOf(duty: Duty, zone: string): string {
  return `${localOf(duty.starts_at, zone).time}–${localOf(duty.ends_at, zone).time}`;
}

function Gaps({ day, duties, zone, over }: { day: string; duties: readonly Duty[]; zone: string; over: boolean }) {
  const { t } = useLanguage();
  const gaps = gapsOf(day, duties, zone);
  return gaps.map((gap) => (
    <span key={gap.from} className={over ? 'roster-gap roster-gap-over' : 'roster-gap'}>
      {gap.from === '00:00' && gap.to === '24:00'
        ? t('roster.gapDay')
        : t('roster.gap', { from: gap.from, to: gap.to })}
    </span>
  ));
}

function RemoveDialog({ duties, zone, onClose }: { duties: readonly Duty[]; zone: string; onClose: () => void }) {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const { mutateAsync, isPending } = useRosterAct();
  const [refusal, setRefusal] = useState<unknown>(null);
  const remove = async (duty: Duty): Promise<void> => {
    setRefusal(null);
    try {
      await mutateAsync({ kind: 'cancel', id: duty.id });
      void message.success(t('roster.removed'));
      onClose();
    } catch (error) {
      setRefusal(error);
    }
  };
  return (
    <Modal open width={420} title={t('roster.remove')} footer={null} mask={{ closable: false }} onCancel={onClose}>
      <p>{t('roster.removeExplain')}</p>
      <div className="duty-remove">
        {duties.map((duty, at) => (
          <Button key={duty.id} danger autoFocus={at === 0} loading={isPending} onClick={() => void remove(duty)}>
            {`${duty.person.display_name} ${localOf(duty.starts_at, zone).day.slice(5)} ${timesOf(duty, zone)}`}
          </Button>
        ))}
      </div>
      {refusal !== null && <ProblemNotice error={refusal} />}
    </Modal>
  );
}
