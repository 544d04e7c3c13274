import type { KeyboardEvent, PointerEvent } from 'react';

import type { Ambulatory, EcgOverview } from '../../api/types';
import { useLanguage } from '../../i18n/language';
import { envelopeLimit, envelopePath, linePath, rateSpan } from './curve';
import { clockOf, ticksOf } from './moment';

interface OverviewStripProps {
  facts: Ambulatory;
  overview: EcgOverview;
  lead: string;
  start: number;
  pageSeconds: number;
  onStart: (start: number) => void;
}

/** A narrow page is still to be seen. */
const NARROWEST = 0.3;

/** The whole record: heart rate, envelope of a lead, marks; a click or the arrow keys go there. */
export function OverviewStrip({ facts, overview, lead, start, pageSeconds, onStart }: OverviewStripProps) {
  const { t } = useLanguage();
  const duration = facts.duration_seconds;
  const bins = duration / overview.bin_seconds;
  const [low, high] = rateSpan(overview.heart_rate);
  const envelope = overview.envelopes.find((one) => one.lead === lead) ?? overview.envelopes[0];
  const partOf = (seconds: number): number => (100 * seconds) / duration;
  const go = (seconds: number): void => onStart(Math.max(0, Math.min(duration - 1, seconds)));
  const onPointerDown = (event: PointerEvent<HTMLElement>): void => {
    const box = event.currentTarget.getBoundingClientRect();
    // The moment that was pointed at is in the middle of the page.
    go(((event.clientX - box.left) / box.width) * duration - pageSeconds / 2);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const steps: Record<string, number> = {
      ArrowLeft: start - (event.shiftKey ? 600 : 60),
      ArrowRight: start + (event.shiftKey ? 600 : 60),
      Home: 0,
      End: duration - pageSeconds,
    };
    const target = steps[event.key];
    if (target === undefined) return;
    event.preventDefault();
    go(target);
  };
  return (
    <div className="long-strip">
      <span className="long-axis">
        <span>{high}</span>
        <span>{t('ambulatory.bpm')}</span>
        <span>{low}</span>
      </span>
      <div
        className="long-plot"
        role="slider"
        tabIndex={0}
        aria-label={t('ambulatory.overview')}
        aria-valuemin={0}
        aria-valuemax={Math.round(duration)}
        aria-valuenow={Math.round(start)}
        aria-valuetext={clockOf(start, facts.started_at)}
        onPointerDown={onPointerDown}
        onKeyDown={onKeyDown}
      >
        <svg className="long-rate" viewBox={`0 0 ${bins} 1`} preserveAspectRatio="none" aria-hidden>
          <path d={linePath(overview.heart_rate, low, high)} />
        </svg>
        {envelope !== undefined && (
          <svg className="long-envelope" viewBox={`0 0 ${bins} 1`} preserveAspectRatio="none" aria-hidden>
            <path d={envelopePath(envelope.low, envelope.high, envelopeLimit(envelope.low, envelope.high))} />
          </svg>
        )}
        {facts.events.map((event, index) => (
          <span key={index} className="long-mark" style={{ left: `${partOf(event.seconds)}%` }} title={event.text} />
        ))}
        {ticksOf(facts.started_at, duration).map(({ seconds, label }) => (
          <span key={seconds} className="long-tick" style={{ left: `${partOf(seconds)}%` }}>
            {label}
          </span>
        ))}
        <span
          className="long-window"
          style={{ left: `${partOf(start)}%`, width: `${Math.max(NARROWEST, partOf(pageSeconds))}%` }}
        />
      </div>
    </div>
  );
}
