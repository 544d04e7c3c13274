import { LeftOutlined, RightOutlined } from '@ant-design/icons';
import { Button, Segmented, Select, Skeleton } from 'antd';
import { type PointerEvent, useLayoutEffect, useMemo, useRef } from 'react';

import type { Ambulatory } from '../../api/types';
import { ProblemNotice } from '../../design/Notice';
import { useShortcuts } from '../../design/shortcuts';
import { useLanguage } from '../../i18n/language';
import { clockOf } from './moment';
import { LINE_SECONDS, type LinesView, useLines } from './queries';
import { parseTrace } from '../trace';

interface LinesPageProps {
  id: string;
  instance: string | null;
  facts: Ambulatory;
  view: LinesView;
  onView: (part: Partial<LinesView>) => void;
  /** Somebody points at a moment of a line. */
  onMoment: (seconds: number) => void;
}

/** How many lines the server draws on a page when nobody says how many. */
export const LINES = 10;

/** Minutes of one lead, line under line; a click opens the moment as a calibrated page. */
export function LinesPage({ id, instance, facts, view, onView, onMoment }: LinesPageProps) {
  const { t, language } = useLanguage();
  const page = useLines(id, instance, view, language);
  const trace = useMemo(() => (page.data === undefined ? null : parseTrace(page.data)), [page.data]);
  const sheet = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => {
    if (trace !== null) sheet.current?.replaceChildren(trace.element);
  }, [trace]);
  const pageSeconds = LINES * view.line;
  const turn = (by: -1 | 1): void => {
    const next = view.start + by * pageSeconds;
    if (next < facts.duration_seconds) onView({ start: Math.max(0, next) });
  };
  useShortcuts({ '.': () => turn(1), ',': () => turn(-1) });
  const point = (event: PointerEvent<HTMLElement>): void => {
    if (trace === null) return;
    const seconds = secondsAt(trace.element, event);
    if (seconds !== null) onMoment(seconds);
  };
  const shown = trace?.startSeconds ?? view.start;
  return (
    <>
      <div className="long-tools" role="toolbar" aria-label={t('ambulatory.lines')}>
        <Select
          aria-label={t('ambulatory.lead')}
          popupMatchSelectWidth={false}
          value={view.lead}
          options={facts.leads.map((lead) => ({ value: lead, label: lead }))}
          onChange={(lead) => onView({ lead })}
        />
        <Segmented
          aria-label={t('ambulatory.lineSeconds')}
          value={view.line}
          options={LINE_SECONDS.map((line) => ({ value: line, label: t('ambulatory.line', { n: line }) }))}
          onChange={(line) => onView({ line })}
        />
        <span className="long-turn">
          <Button
            aria-label={t('ecg.page.previous')}
            icon={<LeftOutlined />}
            disabled={shown === 0}
            onClick={() => turn(-1)}
          />
          <span>
            {clockOf(shown, facts.started_at)}–
            {clockOf(Math.min(facts.duration_seconds, shown + pageSeconds), facts.started_at)}
          </span>
          <Button
            aria-label={t('ecg.page.next')}
            icon={<RightOutlined />}
            disabled={(trace?.nextStartSeconds ?? null) === null}
            onClick={() => turn(1)}
          />
        </span>
        <span className="long-hint">{t('ambulatory.lines.hint')}</span>
      </div>
      {page.isError ? (
        <div className="ecg-problem">
          <ProblemNotice heading={t('ecg.failed')} error={page.error} onRetry={() => void page.refetch()} />
        </div>
      ) : trace === null ? (
        <div className="ecg-loading" aria-busy="true">
          <Skeleton active paragraph={{ rows: 10 }} />
        </div>
      ) : (
        <div className={`long-sheet${page.isPlaceholderData ? ' ecg-old' : ''}`}>
          <button
            type="button"
            ref={sheet}
            className="long-lines"
            aria-label={t('ambulatory.lines')}
            style={{ aspectRatio: `${trace.widthMm} / ${trace.heightMm}` }}
            onPointerUp={point}
          />
        </div>
      )}
    </>
  );
}

/** The record time under the pointer, null beside the lines. */
function secondsAt(svg: SVGSVGElement, event: PointerEvent<HTMLElement>): number | null {
  const numberOf = (name: string): number => Number(svg.getAttribute(`data-${name}`));
  const box = svg.getBoundingClientRect();
  const widthMm = Number((svg.getAttribute('viewBox') ?? '').split(/\s+/)[2]);
  const mm = widthMm / box.width;
  const x = (event.clientX - box.left) * mm - numberOf('trace-x-mm');
  const line = Math.round(((event.clientY - box.top) * mm - numberOf('first-line-mm')) / numberOf('line-pitch-mm'));
  const within = x / numberOf('trace-width-mm');
  if (!(within >= 0 && within < 1 && line >= 0 && line < numberOf('lines'))) return null;
  return numberOf('start-seconds') + (line + within) * numberOf('line-seconds');
}
