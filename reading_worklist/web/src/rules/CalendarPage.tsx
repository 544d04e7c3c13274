import { CloseOutlined, LeftOutlined, PlusOutlined, RightOutlined } from '@ant-design/icons';
import { App, Button, Input, Modal, Segmented } from 'antd';
import { type KeyboardEvent, useRef, useState } from 'react';

import { serverNow } from '../api/serverClock';
import { ProblemNotice } from '../design/Notice';
import { ReasonDialog } from '../design/ReasonDialog';
import { useLanguage } from '../i18n/language';
import { type Day, daysLater, weekdayOf, yearOf } from './days';
import { useRoutingAct, useWorkingTime, type WorkingTime } from './queries';
import './calendar.css';
import './rules.css';

const WEEKDAYS = [1, 2, 3, 4, 5, 6, 7] as const;
const MONTH_NAMES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] as const;
const KINDS = ['work', 'weekend', 'holiday', 'worked'] as const;
const STEPS: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };
const PERIODS_MAX = 6;

/** Which days of a year are worked, and in which hours: clocks in working hours go by them. */
export function CalendarPage() {
  const { t } = useLanguage();
  const [year, setYear] = useState(() => new Date(serverNow()).getFullYear());
  const time = useWorkingTime(year);
  const [changing, setChanging] = useState<Day | null>(null);
  const [hours, setHours] = useState(false);
  const shown = time.data;
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('calendar.title')}</h1>
        <Button icon={<LeftOutlined />} aria-label={t('calendar.previous')} onClick={() => setYear(year - 1)} />
        <strong>{t('calendar.year', { n: year })}</strong>
        <Button icon={<RightOutlined />} aria-label={t('calendar.next')} onClick={() => setYear(year + 1)} />
        <span className="page-space" />
        {shown !== undefined && (
          <span>
            {t('calendar.hours', {
              hours: shown.periods
                .map((one) => t('rules.window', { from: one.opens.slice(0, 5), to: one.closes.slice(0, 5) }))
                .join(t('app.listSeparator')),
            })}
          </span>
        )}
        {shown?.can_edit === true && (
          <Button className="calendar-hours" onClick={() => setHours(true)}>
            {t('calendar.changeHours')}
          </Button>
        )}
      </div>
      {time.isError && (
        <div className="page-problem">
          <ProblemNotice heading={t('calendar.failed')} error={time.error} onRetry={() => void time.refetch()} />
        </div>
      )}
      {shown !== undefined && (
        <>
          <div className="calendar-legend">
            {KINDS.map((kind) => (
              <span key={kind}>
                <span className={`calendar-mark calendar-${kind}`} /> {t(`calendar.legend.${kind}`)}
              </span>
            ))}
            <span>
              <span className="calendar-mark calendar-entered" /> {t('calendar.legend.entry')}
            </span>
            <span className="quiet">{t('calendar.keys')}</span>
          </div>
          {!shown.published && <p className="calendar-note">{t('calendar.unpublished')}</p>}
          <Year time={shown} old={time.isPlaceholderData} onChange={shown.can_edit ? setChanging : null} />
        </>
      )}
      {changing !== null && <DayDialog day={changing} onClose={() => setChanging(null)} />}
      {hours && shown !== undefined && <HoursDialog time={shown} onClose={() => setHours(false)} />}
    </div>
  );
}

function Year({ time, old, onChange }: { time: WorkingTime; old: boolean; onChange: ((day: Day) => void) | null }) {
  const { t } = useLanguage();
  const months = yearOf(time.year, time.days);
  const today = new Date(serverNow()).toISOString().slice(0, 10);
  const grid = useRef<HTMLDivElement>(null);
  const [reached, setReached] = useState(today.startsWith(String(time.year)) ? today : `${time.year}-01-01`);
  const at = reached.startsWith(`${time.year}-`) ? reached : `${time.year}-01-01`;
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = daysLater(at, step);
    if (!next.startsWith(`${time.year}-`)) return;
    setReached(next);
    grid.current?.querySelector<HTMLElement>(`[data-day="${next}"]`)?.focus();
  };
  return (
    <div className={old ? 'calendar table-old' : 'calendar'} ref={grid} onKeyDown={onKeyDown} aria-busy={old}>
      {MONTH_NAMES.map((month) => (
        <section key={month} aria-label={t(`calendar.monthName.${month}`)}>
          <h2>{t(`calendar.monthName.${month}`)}</h2>
          <div className="calendar-days">
            {WEEKDAYS.map((weekday) => (
              <span key={weekday} className="calendar-weekday" aria-hidden="true">
                {t(`calendar.weekday.${weekday}`)}
              </span>
            ))}
            {(months[month - 1] ?? []).map((day, index) => (
              <DayCell
                key={day.date}
                day={day}
                column={index === 0 ? weekdayOf(day.date) : null}
                today={day.date === today}
                reached={day.date === at}
                onChange={
                  onChange === null
                    ? null
                    : () => {
                        setReached(day.date);
                        onChange(day);
                      }
                }
              />
            ))}
          </div>
        </section>
      ))}
    </div>
  );
}

function DayCell({
  day,
  column,
  today,
  reached,
  onChange,
}: {
  day: Day;
  column: number | null;
  today: boolean;
  reached: boolean;
  onChange: (() => void) | null;
}) {
  const { t } = useLanguage();
  const what = [t(`calendar.legend.${day.kind}`), day.entered ? t('calendar.legend.entry') : null, day.reason]
    .filter((part) => part !== null)
    .join(t('app.listSeparator'));
  const name = t('calendar.day', { day: day.date, what });
  const classes = ['calendar-day', `calendar-${day.kind}`];
  if (day.entered) classes.push('calendar-entered');
  if (today) classes.push('calendar-today');
  return (
    <button
      type="button"
      data-day={day.date}
      className={classes.join(' ')}
      style={column === null ? undefined : { gridColumnStart: column }}
      tabIndex={reached ? 0 : -1}
      title={what}
      aria-label={name}
      aria-disabled={onChange === null}
      onClick={() => onChange?.()}
    >
      {Number(day.date.slice(8))}
      {day.kind === 'worked' && <sup>{t('calendar.mark.worked')}</sup>}
      {day.kind === 'holiday' && <sup>{t('calendar.mark.off')}</sup>}
    </button>
  );
}

function DayDialog({ day, onClose }: { day: Day; onClose: () => void }) {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const { mutateAsync } = useRoutingAct();
  const worked = day.kind === 'work' || day.kind === 'worked';
  const [working, setWorking] = useState(!worked);
  const remove = async (): Promise<void> => {
    await mutateAsync({ kind: 'remove-day', day: day.date });
    void message.success(t('calendar.form.remove'));
    onClose();
  };
  return (
    <ReasonDialog
      title={`${day.date} · ${t(`calendar.legend.${day.kind}`)}`}
      confirm={t('app.save')}
      onConfirm={async (reason) => {
        await mutateAsync({ kind: 'day', day: day.date, working, reason });
        void message.success(t('calendar.form.saved'));
      }}
      onClose={onClose}
    >
      {day.reason !== null && (
        <p className="calendar-entry">
          {t('calendar.form.entered', { reason: day.reason })}{' '}
          <Button size="small" onClick={() => void remove()}>
            {t('calendar.form.remove')}
          </Button>
        </p>
      )}
      <Segmented
        aria-label={t('calendar.title')}
        value={working ? 'working' : 'off'}
        options={[
          { value: 'working', label: t('calendar.form.working') },
          { value: 'off', label: t('calendar.form.off') },
        ]}
        onChange={(chosen) => setWorking(chosen === 'working')}
      />
    </ReasonDialog>
  );
}

function HoursDialog({ time, onClose }: { time: WorkingTime; onClose: () => void }) {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const { mutateAsync, isPending } = useRoutingAct();
  const [periods, setPeriods] = useState(time.periods);
  const [refusal, setRefusal] = useState<unknown>(null);
  const put = (at: number, part: Partial<(typeof periods)[number]>): void =>
    setPeriods(periods.map((one, place) => (place === at ? { ...one, ...part } : one)));
  const save = async (): Promise<void> => {
    setRefusal(null);
    try {
      await mutateAsync({ kind: 'hours', body: { time_zone: time.time_zone, periods } });
      void message.success(t('calendar.hoursSaved'));
      onClose();
    } catch (error) {
      setRefusal(error);
    }
  };
  return (
    <Modal
      open
      width={460}
      title={t('calendar.changeHours')}
      okText={t('app.save')}
      cancelText={t('app.cancel')}
      confirmLoading={isPending}
      mask={{ closable: false }}
      onOk={() => void save()}
      onCancel={onClose}
    >
      <p>{t('calendar.hoursExplain')}</p>
      <div className="calendar-periods">
        {periods.map((one, at) => (
          <span key={at} className="rule-window">
            <Input
              type="time"
              autoFocus={at === 0}
              aria-label={t('calendar.opens', { n: at + 1 })}
              value={one.opens.slice(0, 5)}
              onChange={(event) => event.target.value !== '' && put(at, { opens: `${event.target.value}:00` })}
            />
            {t('rules.form.dash')}
            <Input
              type="time"
              aria-label={t('calendar.closes', { n: at + 1 })}
              value={one.closes.slice(0, 5)}
              onChange={(event) => event.target.value !== '' && put(at, { closes: `${event.target.value}:00` })}
            />
            <Button
              type="text"
              icon={<CloseOutlined />}
              disabled={periods.length === 1}
              aria-label={t('calendar.removePeriod')}
              onClick={() => setPeriods(periods.filter((_, place) => place !== at))}
            />
          </span>
        ))}
        <Button
          icon={<PlusOutlined />}
          disabled={periods.length >= PERIODS_MAX}
          onClick={() => setPeriods([...periods, { opens: '18:00:00', closes: '20:00:00' }])}
        >
          {t('calendar.addPeriod')}
        </Button>
      </div>
      {refusal !== null && <ProblemNotice error={refusal} />}
    </Modal>
  );
}
