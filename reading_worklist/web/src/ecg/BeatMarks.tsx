import { type KeyboardEvent, type PointerEvent, useEffect, useRef, useState } from 'react';

import type { EcgCorrections } from '../api/types';
import { useLanguage } from '../i18n/language';
import { type Beat, gapFor, KINDS, withBeat, withKind, withMovedBeat, withoutBeat } from './corrections';
import type { LeadOnPage } from './leadsOnPage';
import type { Trace } from './trace';
import { following } from './view';

interface BeatMarksProps {
  trace: Trace;
  beats: readonly Beat[];
  pixels: number;
  /** What was set by hand, and how to set more; null only shows the beats. */
  correcting: { corrections: EcgCorrections; change: (corrections: EcgCorrections) => void } | null;
}

interface Placed {
  beat: Beat;
  x: number;
}

/** How far below the strip's zero line the marks stand, in millimetres. */
const BELOW_MM = 8;
const FINE_SECONDS = 0.004;
const COARSE_SECONDS = 0.04;
/** An interval narrower than this has no room for its number, in pixels. */
const ROOM_PIXELS = 34;

/** A mark for every beat below the lowest strip, with the RR intervals between them; to be corrected there. */
export function BeatMarks({ trace, beats, pixels, correcting }: BeatMarksProps) {
  const { t } = useLanguage();
  const row = useRef<HTMLDivElement>(null);
  const isCorrecting = correcting !== null;
  // The strip may lie below what the window has room for.
  useEffect(() => {
    if (isCorrecting) row.current?.scrollIntoView({ block: 'nearest' });
  }, [isCorrecting]);
  const lowest = Math.max(...trace.leads.map((lead) => lead.zero));
  const strips = trace.leads.filter((lead) => lead.zero === lowest);
  const shown = beats.flatMap((beat) => placesOf(beat, strips, trace));
  const top = (lowest + BELOW_MM) * pixels;
  return (
    <div
      ref={row}
      className="beats"
      style={{ top }}
      role={correcting === null ? undefined : 'group'}
      aria-label={correcting === null ? undefined : t('ecg.beats')}
      onDoubleClick={(event) => {
        if (correcting === null) return;
        const box = event.currentTarget.getBoundingClientRect();
        const x = (event.clientX - box.left) / pixels;
        const strip = strips.find((lead) => x >= lead.left && x <= lead.right);
        if (strip !== undefined) correcting.change(withBeat(correcting.corrections, secondsAt(strip, x, trace)));
      }}
    >
      {shown.map(({ beat, x }, index) => {
        const next = shown[index + 1];
        const rr = next === undefined ? null : (next.beat.r_seconds - beat.r_seconds) * 1000;
        const room = next === undefined ? 0 : (next.x - x) * pixels;
        return (
          <span key={`${beat.r_seconds} ${x}`}>
            <BeatMark
              beat={beat}
              number={index + 1}
              left={x * pixels}
              pixelsPerSecond={trace.mmPerSecond * pixels}
              beats={beats}
              correcting={correcting}
            />
            {rr !== null && rr > 0 && room >= ROOM_PIXELS && (
              <span className="beat-rr" style={{ left: (x * pixels + (next?.x ?? 0) * pixels) / 2 }}>
                {Math.round(rr)}
              </span>
            )}
          </span>
        );
      })}
    </div>
  );
}

function secondsAt(strip: LeadOnPage, x: number, trace: Trace): number {
  return strip.originSeconds + (x - strip.originX) / trace.mmPerSecond;
}

function placesOf(beat: Beat, strips: readonly LeadOnPage[], trace: Trace): Placed[] {
  return strips
    .map((strip) => ({ beat, strip, x: strip.originX + (beat.r_seconds - strip.originSeconds) * trace.mmPerSecond }))
    .filter(({ strip, x }) => x >= strip.left && x < strip.right)
    .map(({ x }) => ({ beat, x }));
}

interface BeatMarkProps {
  beat: Beat;
  number: number;
  left: number;
  pixelsPerSecond: number;
  beats: readonly Beat[];
  correcting: BeatMarksProps['correcting'];
}

function BeatMark({ beat, number, left, pixelsPerSecond, beats, correcting }: BeatMarkProps) {
  const { t } = useLanguage();
  const [by, setBy] = useState(0);
  const from = useRef<number | null>(null);
  const look = `beat beat-${beat.kind}${beat.by_hand ? ' beat-by-hand' : ''}`;
  const sign = beat.kind === 'normal' ? '' : t(`ecg.beat.${beat.kind}.sign`);
  if (correcting === null) {
    return (
      <span className={look} style={{ left }} aria-hidden="true">
        {sign}
      </span>
    );
  }
  const { corrections, change } = correcting;
  const moveTo = (seconds: number): void => change(withMovedBeat(corrections, beat, Math.max(0, seconds)));
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.shiftKey ? COARSE_SECONDS : FINE_SECONDS;
    if (event.key === 'ArrowLeft') moveTo(beat.r_seconds - step);
    else if (event.key === 'ArrowRight') moveTo(beat.r_seconds + step);
    else if (event.key === 'Delete' || event.key === 'Backspace') change(withoutBeat(corrections, beat));
    else if (event.key === 'Insert' || event.key === 'i') {
      const gap = gapFor(beats, beat.r_seconds);
      if (gap !== null) change(withBeat(corrections, gap));
    } else if (event.key === 't') change(withKind(corrections, beat, following(KINDS, beat.kind)));
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const onPointerDown = (event: PointerEvent<HTMLElement>): void => {
    event.stopPropagation();
    from.current = event.clientX;
    event.currentTarget.setPointerCapture(event.pointerId);
    event.currentTarget.focus();
  };
  const onPointerMove = (event: PointerEvent<HTMLElement>): void => {
    if (from.current !== null) setBy(event.clientX - from.current);
  };
  const onPointerUp = (): void => {
    from.current = null;
    setBy(0);
    if (Math.abs(by) > 1) moveTo(beat.r_seconds + by / pixelsPerSecond);
  };
  return (
    <button
      type="button"
      className={`${look} beat-held`}
      style={{ left: left + by }}
      title={t('ecg.beat.help')}
      aria-label={t('ecg.beat', {
        n: number,
        time: beat.r_seconds.toFixed(3),
        kind: t(`ecg.beat.${beat.kind}`),
      })}
      onKeyDown={onKeyDown}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={onPointerUp}
      onDoubleClick={(event) => event.stopPropagation()}
    >
      {sign}
    </button>
  );
}
