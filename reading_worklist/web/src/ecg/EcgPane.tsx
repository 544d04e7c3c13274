import { useCallback, useMemo, useState } from 'react';

import type { PriorStudy } from '../api/types';
import { useShortcuts } from '../design/shortcuts';
import { formatDateTime } from '../i18n/format';
import { useLanguage } from '../i18n/language';
import { siteName } from '../i18n/siteName';
import { BeatMarks } from './BeatMarks';
import { useCalibration } from './calibration';
import { CalibrationDialog } from './CalibrationDialog';
import { type Alignment, CompareBar, type Comparing } from './CompareBar';
import { CorrectionBar } from './CorrectionBar';
import { EcgFacts } from './EcgFacts';
import { EcgNotices } from './EcgNotices';
import { EcgSheet } from './EcgSheet';
import { EcgToolbar } from './EcgToolbar';
import { LongRecord } from './ambulatory/LongRecord';
import { ecgKeys } from './keys';
import { PointMarks } from './PointMarks';
import { pageAddress, useEcgAnalysis, useEcgRecord, useSerial } from './queries';
import { ScaleNote } from './ScaleNote';
import type { Trace } from './trace';
import { useCorrecting } from './useCorrecting';
import { STANDARD_VIEW, type Tools, type View, type Zoom } from './view';
import './ecg.css';

const NONE: ReadonlySet<string> = new Set();

/** The ECG of a workitem: the trace in true millimetres, what is measured on it, and an earlier one to compare. */
export function EcgPane({ id, prior = null }: { id: string; prior?: PriorStudy | null }) {
  const { t, language } = useLanguage();
  const [view, setView] = useState<View>(STANDARD_VIEW);
  const [calibrating, setCalibrating] = useState(false);
  const calibration = useCalibration();
  // On a calibrated screen the doctor expects paper; otherwise millimetres mean little and the whole width more.
  const [zoom, setZoom] = useState<Zoom>(calibration.calibrated ? 1 : 'fit');
  const [factor, setFactor] = useState(1);
  const [trace, setTrace] = useState<Trace | null>(null);
  const [tools, setTools] = useState<Tools>({ marching: false, snapping: false });
  const [highlighted, setHighlighted] = useState(NONE);
  const [comparing, setComparing] = useState<Comparing>('beside');
  const [alignment, setAlignment] = useState<Alignment>('r');
  const [pane, setPane] = useState<HTMLDivElement | null>(null);

  const which = useMemo(() => ({ instance: view.instance, prior: null }), [view.instance]);
  const record = useEcgRecord(id, which);
  const against = prior?.study_id ?? null;
  const serial = useSerial(id, view.instance, against).data;
  const analysis = useEcgAnalysis(id).data;
  const analysed = analysis?.ecgs.find((each) => each.sop_instance_uid === record.data?.sop_instance_uid);
  const correcting = useCorrecting(id, which, analysed !== undefined);
  const { measured } = correcting;

  const over = prior !== null && comparing === 'over';
  const shown: View = over ? { ...view, page: 'median' } : view;
  const change = useCallback((part: Partial<View>): void => setView((old) => ({ ...old, ...part })), []);
  const onTools = useCallback((part: Partial<Tools>): void => setTools((old) => ({ ...old, ...part })), []);
  const toggleLead = (lead: string): void => setHighlighted((old) => toggled(old, lead));

  useShortcuts(
    ecgKeys({
      view: shown,
      natural: record.data?.natural_layout ?? '3x4',
      trace,
      factor,
      change,
      setZoom,
      toggleTool: (tool) => setTools((old) => ({ ...old, [tool]: !old[tool] })),
      correct: correcting.active === null ? null : correcting.toggle,
      compare: prior === null ? null : () => setComparing(comparing === 'over' ? 'beside' : 'over'),
      align: () => setAlignment(alignment === 'r' ? 'j' : 'r'),
      toPaper: () => pane?.querySelector<HTMLElement>('.ecg-paper')?.focus(),
    }),
  );

  const nowAt = record.data?.acquired_at ?? null;
  const thenAt = serial?.then_at ?? null;
  const sheet = {
    id,
    page: shown.page,
    zoom,
    pixelsPerMm: calibration.pixelsPerMm,
    tools,
    onTools,
    highlighted,
  };
  const beats = measured.data?.beats ?? [];
  const points = measured.data?.points ?? null;
  return (
    <div className={`ecg${correcting.active === true ? ' ecg-busy' : ''}`} ref={setPane}>
      <EcgToolbar
        view={shown}
        record={record.data}
        trace={trace}
        zoom={zoom}
        factor={factor}
        correcting={correcting.active}
        onChange={(part) => {
          if (part.page !== undefined && over) setComparing('beside');
          change(part);
        }}
        onZoom={setZoom}
        onCorrect={correcting.toggle}
      />
      <EcgNotices
        record={record.data}
        pending={analysis?.state === 'pending'}
        analysed={analysed}
        measured={measured.data}
        highlighted={highlighted}
        onHighlight={setHighlighted}
      />
      {prior !== null && (
        <CompareBar
          comparing={comparing}
          alignment={alignment}
          serial={serial}
          onComparing={setComparing}
          onAlignment={setAlignment}
        />
      )}
      <LongRecord
        id={id}
        record={record.data}
        view={view}
        pageSeconds={trace?.pageSeconds ?? 10}
        onStart={(start) => change({ page: 'trace', start })}
      >
        <div className={`ecg-sheets${prior !== null && !over ? ' ecg-two' : ''}`}>
          <EcgSheet
            {...sheet}
            address={pageAddress(id, shown, null, { against: over ? against : null, alignment }, language)}
            label={t('ecg.trace')}
            {...(prior !== null && !over && nowAt !== null
              ? { heading: t('ecg.compare.this', { time: formatDateTime(nowAt) }) }
              : {})}
            onFactor={setFactor}
            onTrace={setTrace}
            overlay={(page, pixels) =>
              !page.isMedian ? (
                <BeatMarks trace={page} beats={beats} pixels={pixels} correcting={correcting.marks} />
              ) : (
                points !== null &&
                correcting.marks !== null && (
                  <PointMarks trace={page} points={points} pixels={pixels} {...correcting.marks} />
                )
              )
            }
          >
            <ScaleNote factor={factor} calibration={calibration} onCalibrate={() => setCalibrating(true)} />
          </EcgSheet>
          {prior !== null && !over && (
            <EcgSheet
              {...sheet}
              address={pageAddress(
                id,
                { ...shown, instance: null },
                prior.study_id,
                { against: null, alignment },
                language,
              )}
              label={t('ecg.compare.earlier')}
              heading={t('ecg.compare.prior', {
                time: thenAt === null ? (prior.study_date ?? t('priors.undated')) : formatDateTime(thenAt),
                site: siteName(language, prior.site),
              })}
            />
          )}
        </div>
      </LongRecord>
      {correcting.active === true && <CorrectionBar {...correcting.bar} />}
      <EcgFacts
        record={record}
        measured={measured}
        serial={serial}
        highlighted={highlighted}
        onHighlight={toggleLead}
        onInstance={(instance) => change({ instance, start: 0 })}
      />
      {calibrating && <CalibrationDialog present={calibration} onClose={() => setCalibrating(false)} />}
    </div>
  );
}

function toggled(old: ReadonlySet<string>, lead: string): ReadonlySet<string> {
  const next = new Set(old);
  if (!next.delete(lead)) next.add(lead);
  return next;
}
