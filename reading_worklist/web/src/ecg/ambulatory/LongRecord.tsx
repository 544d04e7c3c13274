import { Segmented, Spin } from 'antd';
import { type ReactNode, useState } from 'react';

import type { Ambulatory, EcgOverview, EcgRecord } from '../../api/types';
import { ProblemNotice } from '../../design/Notice';
import { useShortcuts } from '../../design/shortcuts';
import { useLanguage } from '../../i18n/language';
import type { View } from '../view';
import { JumpToTime } from './JumpToTime';
import { LINES, LinesPage } from './LinesPage';
import { clockOf, LONG_SECONDS } from './moment';
import { Moments } from './Moments';
import { OverviewStrip } from './OverviewStrip';
import { type LinesView, useAmbulatory, useOverview } from './queries';
import './ambulatory.css';

interface LongRecordProps {
  id: string;
  record: EcgRecord | undefined;
  view: View;
  /** How much of the record the calibrated page shows. */
  pageSeconds: number;
  onStart: (start: number) => void;
  /** The calibrated page, shown unless somebody looks at lines. */
  children: ReactNode;
}

/** A record of hours: all of it at a glance, its marks, and a page of what somebody wants to see; of others the page alone. */
export function LongRecord(props: LongRecordProps) {
  const { record, view, children } = props;
  if (record === undefined || record.duration_seconds < LONG_SECONDS) return children;
  return <Long key={view.instance} {...props} />;
}

function Long(props: LongRecordProps) {
  const { id, view, children } = props;
  const { instance } = view;
  const { t } = useLanguage();
  const facts = useAmbulatory(id, instance);
  const overview = useOverview(id, instance);
  if (facts.data === undefined) {
    return (
      <>
        {facts.isError && (
          <ProblemNotice heading={t('ambulatory.failed')} error={facts.error} onRetry={() => void facts.refetch()} />
        )}
        {children}
      </>
    );
  }
  return (
    <Opened
      {...props}
      facts={facts.data}
      overview={overview.data}
      notice={
        overview.isError ? (
          <ProblemNotice
            heading={t('ambulatory.overviewFailed')}
            error={overview.error}
            onRetry={() => void overview.refetch()}
          />
        ) : (
          <p className="long-making" role="status">
            <Spin size="small" /> {t('ambulatory.making')}
          </p>
        )
      }
    />
  );
}

interface OpenedProps extends LongRecordProps {
  facts: Ambulatory;
  overview: EcgOverview | undefined;
  /** Shown in place of an overview that is not there. */
  notice: ReactNode;
}

function Opened(props: OpenedProps) {
  const { id, view, pageSeconds, onStart, facts, overview, notice, children } = props;
  const { instance, start, gain, filter } = view;
  const { t } = useLanguage();
  const [mode, setMode] = useState<'page' | 'lines'>('page');
  const [lines, setLines] = useState({ lead: preferred(facts.leads), line: 60 as LinesView['line'], start: 0 });
  const linesSeconds = LINES * lines.line;
  const shownStart = mode === 'page' ? start : lines.start;
  const shownSeconds = mode === 'page' ? pageSeconds : linesSeconds;
  const go = (seconds: number): void => {
    if (mode === 'page') onStart(seconds);
    else setLines((old) => ({ ...old, start: seconds }));
  };
  /** The moment a third into the page: what led up to it is seen as well. */
  const show = (seconds: number): void => {
    setMode('page');
    onStart(Math.max(0, seconds - pageSeconds / 3));
  };
  const change = (next: 'page' | 'lines'): void => {
    if (next === 'lines') setLines((old) => ({ ...old, start: start - (start % (LINES * old.line)) }));
    setMode(next);
  };
  useShortcuts({ l: () => change(mode === 'page' ? 'lines' : 'page') });
  return (
    <div className="long">
      <div className="long-head">
        <Segmented
          aria-label={t('ambulatory.mode')}
          value={mode}
          options={[
            { value: 'page', label: t('ambulatory.mode.page') },
            { value: 'lines', label: t('ambulatory.mode.lines') },
          ]}
          onChange={change}
        />
        <JumpToTime facts={facts} onMoment={show} />
        <span className="long-now">{clockOf(shownStart, facts.started_at)}</span>
        <span className="long-hint">{t('ambulatory.keys')}</span>
      </div>
      {overview === undefined ? (
        notice
      ) : (
        <OverviewStrip
          facts={facts}
          overview={overview}
          lead={lines.lead}
          start={shownStart}
          pageSeconds={shownSeconds}
          onStart={go}
        />
      )}
      <Moments facts={facts} overview={overview} onMoment={show} />
      {mode === 'page' ? (
        children
      ) : (
        <LinesPage
          id={id}
          instance={instance}
          facts={facts}
          view={{ ...lines, gain, filter }}
          onView={(part) => setLines((old) => ({ ...old, ...part }))}
          onMoment={show}
        />
      )}
    </div>
  );
}

/** The lead that rhythm is read in, where there is one. */
function preferred(leads: readonly string[]): string {
  return leads.find((lead) => lead === 'II') ?? leads[0] ?? '';
}
