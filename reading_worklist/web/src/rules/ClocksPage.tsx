import { App, Button, Checkbox, InputNumber, Segmented, Select, Tooltip } from 'antd';
import { useState } from 'react';
import { useSearchParams } from 'react-router';

import type { Priority } from '../api/types';
import { Field } from '../design/Field';
import { FormDialog } from '../design/FormDialog';
import { QueryTable } from '../design/QueryTable';
import type { Column } from '../design/Table';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { type ClockBody, type ClockRow, useClocks, useRoutingAct, useSites } from './queries';
import { minutes } from './sentence';
import './rules.css';

const PRIORITIES = ['STAT', 'URGENT', 'ROUTINE'] as const satisfies readonly Priority[];
const LONGEST = 14 * 24 * 60;
const ALL = '';

interface Line {
  clock: ClockRow['clock'];
  rows: ReadonlyMap<Priority, ClockRow>;
}

/** Until when each kind of exam has to be read, for the consortium or for one site. */
export function ClocksPage() {
  const { t, language } = useLanguage();
  const [parameters, setParameters] = useSearchParams();
  const site = parameters.get('site');
  const sites = useSites();
  const clocks = useClocks(site);
  const [changing, setChanging] = useState<ClockRow | null>(null);
  const columns = useColumns(site, setChanging);
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('clocks.title')}</h1>
        <Select
          className="clocks-site"
          aria-label={t('clocks.for')}
          showSearch={{ optionFilterProp: 'label' }}
          value={site ?? ALL}
          options={[
            { value: ALL, label: t('clocks.consortium') },
            ...(sites.data ?? []).map((one) => ({ value: one.code, label: siteName(language, one) })),
          ]}
          onChange={(chosen) => setParameters(chosen === ALL ? {} : { site: chosen }, { replace: true })}
        />
        <span className="page-note">{t('clocks.intro')}</span>
      </div>
      <QueryTable
        query={{ ...clocks, data: clocks.data === undefined ? undefined : linesOf(clocks.data) }}
        failed={t('clocks.failed')}
        label={t('clocks.table')}
        columns={columns}
        rowKey={(line) => line.clock}
      />
      {changing !== null && <ClockDialog row={changing} site={site} onClose={() => setChanging(null)} />}
    </div>
  );
}

function linesOf(rows: readonly ClockRow[]): Line[] {
  const lines = new Map<ClockRow['clock'], Map<Priority, ClockRow>>();
  for (const row of rows) {
    const line = lines.get(row.clock) ?? new Map<Priority, ClockRow>();
    line.set(row.priority, row);
    lines.set(row.clock, line);
  }
  return [...lines].map(([clock, priorities]) => ({ clock, rows: priorities }));
}

function useColumns(site: string | null, onChange: (row: ClockRow) => void): Column<Line>[] {
  const { t } = useLanguage();
  return [
    {
      key: 'exam',
      heading: t('clocks.column.exam'),
      width: '19%',
      cell: (line) => (
        <>
          <span className="strong">{t(`clock.${line.clock}`)}</span>
          <div className="quiet small">
            {t('clocks.lane', { lane: t(line.clock === 'ecg' ? 'lane.ecg' : 'lane.imaging') })}
          </div>
        </>
      ),
    },
    ...PRIORITIES.map((priority): Column<Line> => ({
      key: priority,
      heading: t(`priority.${priority}`),
      cell: (line) => {
        const row = line.rows.get(priority);
        return row === undefined ? null : <Cell row={row} site={site} onChange={onChange} />;
      },
    })),
  ];
}

function Cell({ row, site, onChange }: { row: ClockRow; site: string | null; onChange: (row: ClockRow) => void }) {
  const { t, language } = useLanguage();
  const { due_minutes: due, warn_minutes: warn, claim_minutes: claim } = row;
  const whose =
    row.set_for === null ? 'clocks.default' : site !== null && row.set_for === site ? 'clocks.setSite' : 'clocks.set';
  return (
    <button
      type="button"
      className="clock-cell"
      aria-label={t('clocks.change', { clock: t(`clock.${row.clock}`), priority: t(`priority.${row.priority}`) })}
      onClick={() => onChange(row)}
    >
      <span className="clock-due">
        {minutes(language, due)}
        {row.ceiling_minutes !== null && (
          <Tooltip title={t('clocks.limit', { time: minutes(language, row.ceiling_minutes) })}>
            <span className="clock-limit">{t('clocks.national')}</span>
          </Tooltip>
        )}
      </span>
      <span className="quiet small">
        {[
          row.working && t('clocks.workingHours'),
          t(row.since === 'exam_start' ? 'clocks.sinceExam' : 'clocks.sinceReceipt'),
        ]
          .filter(Boolean)
          .join(' · ')}
      </span>
      <span className="quiet small">
        {[
          t('clocks.claim', { time: minutes(language, claim) }),
          warn > 0 && t('clocks.warn', { time: minutes(language, warn) }),
        ]
          .filter(Boolean)
          .join(' · ')}
      </span>
      <span className={row.set_for === null ? 'quiet small' : 'clock-set small'}>{t(whose)}</span>
    </button>
  );
}

function ClockDialog({ row, site, onClose }: { row: ClockRow; site: string | null; onClose: () => void }) {
  const { t } = useLanguage();
  const { message } = App.useApp();
  const { mutateAsync } = useRoutingAct();
  const [due, setDue] = useState<number | null>(row.due_minutes);
  const [claim, setClaim] = useState<number | null>(row.claim_minutes);
  const [warn, setWarn] = useState<number | null>(row.warn_minutes);
  const [since, setSince] = useState(row.since);
  const [working, setWorking] = useState(row.working);
  const [tried, setTried] = useState(false);
  const limit = row.ceiling_minutes;
  const missing = due === null || claim === null;
  const tooLong = limit !== null && due !== null && due > limit;
  const warnTooLong = due !== null && warn !== null && warn > due;
  // Setting back what was set for somebody above would set nothing back here.
  const ours = row.set_for !== null && (site === null || row.set_for === site);
  const save = async (): Promise<void> => {
    if (due === null || claim === null) return;
    const body: ClockBody = { site, due_minutes: due, claim_minutes: claim, warn_minutes: warn ?? 0, since, working };
    await mutateAsync({ kind: 'clock', row, body });
    void message.success(t('clocks.saved'));
  };
  const reset = async (): Promise<void> => {
    await mutateAsync({ kind: 'reset-clock', row, site });
    void message.success(t('clocks.wasReset'));
  };
  return (
    <FormDialog
      width={600}
      title={`${t(`clock.${row.clock}`)} · ${t(`priority.${row.priority}`)}`}
      ok={t('app.save')}
      ready={() => {
        setTried(true);
        return !missing && !tooLong && !warnTooLong;
      }}
      onSave={save}
      onClose={onClose}
      complaint={tried && missing && t('clocks.form.missing')}
      other={(attempt, busy) =>
        ours && (
          <Button className="clock-reset" disabled={busy} onClick={() => void attempt(reset)}>
            {t('clocks.reset')}
          </Button>
        )
      }
    >
      <Field label={t('clocks.form.due')} error={tooLong ? t('clocks.form.tooLong', { n: limit }) : null}>
        {(id) => (
          <InputNumber
            id={id}
            autoFocus
            min={1}
            max={LONGEST}
            precision={0}
            value={due}
            status={tooLong ? 'error' : ''}
            onChange={setDue}
          />
        )}
      </Field>
      <Field label={t('clocks.form.claim')}>
        {(id) => <InputNumber id={id} min={1} max={LONGEST} precision={0} value={claim} onChange={setClaim} />}
      </Field>
      <Field label={t('clocks.form.warn')} error={warnTooLong ? t('clocks.form.warnTooLong') : null}>
        {(id) => <InputNumber id={id} min={0} max={LONGEST} precision={0} value={warn} onChange={setWarn} />}
      </Field>
      <Field label={t('clocks.form.since')}>
        {(id) => (
          <Segmented
            id={id}
            value={since}
            options={[
              { value: 'received', label: t('clocks.sinceReceipt') },
              { value: 'exam_start', label: t('clocks.sinceExam') },
            ]}
            onChange={setSince}
          />
        )}
      </Field>
      {limit === null && (
        <div className="field-wide">
          <Checkbox checked={working} onChange={(event) => setWorking(event.target.checked)}>
            {t('clocks.form.working')}
          </Checkbox>
        </div>
      )}
    </FormDialog>
  );
}
